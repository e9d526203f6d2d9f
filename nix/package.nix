# The programs. One compilation, an output for each: a host that runs the agent does not get the rest.
{
  lib,
  stdenv,
  rustPlatform,
  installShellFiles,
  llvmPackages,
  pkg-config,
  elfutils,
  zlib,
  sources,
  web,
}:
let
  programs = {
    agent = "sentinel-agent";
    detector = "sentinel-detector";
    dashboard = "sentinel-dashboard";
    cli = "sentinel";
  };
in
rustPlatform.buildRustPackage {
  pname = "sentinel";
  inherit (sources) version;
  src = sources.rust;
  cargoLock.lockFile = ../Cargo.lock;

  outputs = [ "out" ] ++ lib.attrNames programs;
  outputMan = "cli";

  nativeBuildInputs = [
    installShellFiles
    pkg-config # libbpf looks for libelf and zlib
    rustPlatform.bindgenHook # the wire format: a C header becomes Rust
  ];
  # libbpf itself is vendored by libbpf-sys.
  buildInputs = [
    elfutils
    zlib
  ];
  env = {
    # nixpkgs' wrapped clang adds flags of hardening that the BPF target refuses. The bare one compiles BPF; host
    # code goes through the wrapper and stays hardened.
    BPF_CLANG = lib.getExe' llvmPackages.clang-unwrapped "clang";
    # The dashboard's program carries the web app.
    SENTINEL_DASHBOARD_DIST = web;
  };
  cargoBuildFlags = lib.concatMap (crate: [
    "--package"
    "sentinel-${crate}"
  ]) (lib.attrNames programs);
  # Tests are a check of their own (nix/checks.nix): they need more files than the programs do.
  doCheck = false;

  postInstall =
    lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
      mkdir pages
      $out/bin/sentinel man pages
      installManPage pages/*
      installShellCompletion --cmd sentinel \
        --bash <($out/bin/sentinel completions bash) \
        --fish <($out/bin/sentinel completions fish) \
        --zsh <($out/bin/sentinel completions zsh)
      moveToOutput share "$cli"
    ''
    + lib.concatStrings (
      lib.mapAttrsToList (output: program: ''
        moveToOutput bin/${program} "''$${output}"
        ln -s "''$${output}/bin/${program}" "$out/bin/${program}"
      '') programs
    );

  passthru = { inherit programs; };

  meta = {
    description = "Runtime security for Linux hosts and Kubernetes nodes";
    homepage = "https://github.com/sentinel-security/sentinel";
    # What runs in the kernel is under the second.
    license = [
      lib.licenses.asl20
      lib.licenses.gpl2Only
    ];
    mainProgram = "sentinel";
    platforms = [
      "x86_64-linux"
      "aarch64-linux"
    ];
  };
}
