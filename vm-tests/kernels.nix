# The kernels on which the tests run, by name, and when their maintainers end them. One that this nixpkgs does not
# have (any more) is left out; docs/kernels.md tells which were run.
{ pkgs }:
let
  inherit (pkgs) lib;
  kernels = {
    "5.10" = {
      attribute = "linuxPackages_5_10";
      ends = "2026-12";
    };
    "5.15" = {
      attribute = "linuxPackages_5_15";
      ends = "2026-12";
    };
    "6.1" = {
      attribute = "linuxPackages_6_1";
      ends = "2027-12";
    };
    "6.6" = {
      attribute = "linuxPackages_6_6";
      ends = "2027-12";
    };
    "6.12" = {
      attribute = "linuxPackages_6_12";
      ends = "2028-12";
    };
    "6.18" = {
      attribute = "linuxPackages_6_18";
      ends = "2028-12";
    };
    latest = {
      attribute = "linuxPackages_latest";
      ends = "with the next";
    };
  };
in
lib.mapAttrs (_: kernel: pkgs.${kernel.attribute}) (
  lib.filterAttrs (_: kernel: pkgs ? ${kernel.attribute}) kernels
)
