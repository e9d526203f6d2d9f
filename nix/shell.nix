# What the checks use, and nothing else.
{
  mkShell,
  lib,
  cargo,
  clippy,
  rustc,
  rustfmt,
  rust-analyzer,
  llvmPackages,
  bpftools,
  nodejs,
  kubernetes-helm,
  nixfmt-tree,
  deadnix,
  shellcheck,
  mandoc,
  iproute2,
  default,
}:
mkShell {
  inputsFrom = [ default ];
  packages = [
    cargo
    clippy
    rustc
    rustfmt
    rust-analyzer
    llvmPackages.clang-tools # clang-format
    bpftools
    nodejs
    kubernetes-helm
    nixfmt-tree
    deadnix
    shellcheck
    mandoc
    iproute2
  ];
  env.BPF_CLANG = lib.getExe' llvmPackages.clang-unwrapped "clang";
}
