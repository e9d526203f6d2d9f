# The BPF objects by themselves, one a source: what veristat, bpftool and reviewers look at. The programs carry their
# own copy, compiled by crates/probe from the same sources.
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
    mkdir -p $out/lib/bpf
    for source in bpf/*.bpf.c bpf/*/*.bpf.c; do
      ${lib.getExe' llvmPackages.clang-unwrapped "clang"} -target bpf -D__TARGET_ARCH_${arch} -O2 -g -Wall -Wextra -Werror \
        -fno-stack-protector -I bpf/include -I ${lib.getDev libbpf}/include \
        -ffile-prefix-map="$PWD"=. -c "$source" -o "$out/lib/bpf/$(basename "$source" .c).o"
    done
    runHook postBuild
  '';
  dontInstall = true;
  # Strip knows nothing of BPF.
  dontFixup = true;

  meta.license = lib.licenses.gpl2Only;
}
