# A VM test that is looked at and not run: its nodes are evaluated, its script is a string.
{ pkgs }:
{
  name,
  nodes,
  testScript,
  globalTimeout,
}:
let
  inherit (pkgs) lib;
  machine = configuration: (pkgs.nixos configuration).config;
  units =
    configuration: lib.mapAttrsToList (_: unit: unit.text) (machine configuration).systemd.units;
in
pkgs.stdenv.mkDerivation {
  name = "vm-test-run-${name}";
  inherit globalTimeout testScript;
  units = lib.concatLists (lib.mapAttrsToList (_: units) nodes);
  kernels = lib.mapAttrsToList (_: node: (machine node).boot.kernelPackages.kernel) nodes;
}
