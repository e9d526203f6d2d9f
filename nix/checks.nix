# `nix flake check`: everything that must hold and that Nix can show.
{ self, pkgs }:
let
  inherit (pkgs) lib;
  system = pkgs.stdenv.hostPlatform.system;
  packages = self.packages.${system};
  sources = import ./sources.nix { inherit lib; };

  # The same compilation with another purpose.
  cargo =
    name: attributes:
    packages.default.overrideAttrs (
      old:
      {
        pname = "sentinel-${name}";
        src = sources.tests;
        outputs = [ "out" ];
        outputMan = "out";
        dontFixup = true;
        doCheck = false;
        installPhase = "touch $out";
      }
      // attributes old
    );

  run =
    name: tools: script:
    pkgs.runCommand "sentinel-${name}" { nativeBuildInputs = tools; } script;

  module = import ./module-check.nix { inherit self pkgs; };
  vmTests = import ../vm-tests { inherit self pkgs; };
in
{
  inherit (packages)
    default
    bpf
    web
    sbom
    image-agent
    image-detector
    image-dashboard
    ;

  clippy = cargo "clippy" (old: {
    nativeBuildInputs = old.nativeBuildInputs ++ [ pkgs.clippy ];
    buildPhase = ''
      runHook preBuild
      cargo clippy --offline --workspace --all-targets -- -D warnings
      runHook postBuild
    '';
  });
  # Those that need root and a kernel of their own run in the VM tests; those about the repository where it is whole.
  tests = cargo "tests" (_: {
    buildPhase = ''
      runHook preBuild
      cargo test --offline --workspace --exclude sentinel-tidy --lib --bins
      runHook postBuild
    '';
  });
  rustfmt = cargo "rustfmt" (old: {
    nativeBuildInputs = old.nativeBuildInputs ++ [ pkgs.rustfmt ];
    buildPhase = "cargo fmt --all --check";
  });

  nixfmt = run "nixfmt" [ pkgs.nixfmt ] ''
    find ${sources.nix} -name '*.nix' -exec nixfmt --check {} +
    touch $out
  '';
  deadnix = run "deadnix" [ pkgs.deadnix ] ''
    deadnix --fail ${sources.nix}
    touch $out
  '';
  helm = run "helm" [ pkgs.kubernetes-helm ] ''
    export HOME=$TMPDIR
    cp -r ${sources.chart}/helm helm
    helm lint --strict helm/sentinel
    helm template sentinel helm/sentinel > $out
  '';
  inherit module;
}
// vmTests
