# The BPF objects by themselves, two a source (for kernels with bpf_rdonly_cast, and without: bpf/include/access.h): what
# veristat, bpftool and reviewers look at. The programs carry their own copy, compiled by crates/probe from the same
# sources.
{
  stdenvNoCC,
  lib,
  llvmPackages,
  libbpf,
  sources,
}:
let
  arch = if stdenvNoCC.hostPlatform.isAarch64 then "arm64" else "x86";
in
stdenvNoCC.mkDerivation {
  pname = "sentinel-bpf";
  inherit (sources) version;
  src = sources.bpf;

  buildPhase = ''
    runHook preBuild
    compile() { # DIRECTORY FLAG...
      mkdir -p "$out/lib/bpf/$1"
      for source in bpf/*.bpf.c bpf/*/*.bpf.c; do
        ${lib.getExe' llvmPackages.clang-unwrapped "clang"} -target bpf -D__TARGET_ARCH_${arch} -O2 -g -Wall -Wextra -Werror \
          -fno-stack-protector -I bpf/include -I ${lib.getDev libbpf}/include "''${@:2}" \
          -ffile-prefix-map="$PWD"=. -c "$source" -o "$out/lib/bpf/$1/$(basename "$source" .c).o"
      done
    }
    compile plain
    compile cast -DSENTINEL_CAST
    runHook postBuild
  '';
  dontInstall = true;
  # Strip knows nothing of BPF.
  dontFixup = true;

  meta.license = lib.licenses.gpl2Only;
}
