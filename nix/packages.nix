# Everything that is built, by name. `pkgs` is a nixpkgs.
{ pkgs }:
let
  inherit (pkgs) lib callPackage;

  sources = import ./sources.nix { inherit lib; };
  web = callPackage ./web.nix { inherit sources; };
  sentinel = callPackage ./package.nix { inherit sources web; };
  images = import ./images.nix { inherit pkgs sentinel; };

  # Attacks for the VM tests: the same sources, never in what is shipped.
  simulate = sentinel.overrideAttrs {
    pname = "sentinel-simulate";
    outputs = [ "out" ];
    outputMan = "out";
    cargoBuildFlags = [
      "--package"
      "sentinel-simulate"
    ];
    postInstall = "";
  };
in
{
  default = sentinel;
  inherit (sentinel)
    agent
    detector
    dashboard
    cli
    ;
  inherit web simulate;
  bpf = callPackage ./bpf.nix { inherit sources; };
  sbom = callPackage ./sbom.nix { inherit sources; };
}
// lib.mapAttrs' (name: image: lib.nameValuePair "image-${name}" image) images
