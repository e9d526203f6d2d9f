# The NixOS module on a machine with everything on: it evaluates, its assertions hold, and systemd accepts the units.
# (`nixos-rebuild` would build the same units; here nothing else of the machine is built.)
{ self, pkgs }:
let
  inherit (pkgs) lib;
  machine = pkgs.nixos {
    imports = [ self.nixosModules.default ];
    services.sentinel.enable = true;
    # Enough of a machine to be one.
    boot.loader.grub.enable = false;
    fileSystems."/".device = "/dev/null";
    system.stateVersion = "26.05";
  };
  unit = name: machine.config.systemd.units."${name}.service".unit;
in
pkgs.runCommand "sentinel-module" { nativeBuildInputs = [ pkgs.systemd ]; } ''
  for unit in ${
    lib.concatMapStringsSep " " unit [
      "sentinel-agent"
      "sentinel-detector"
      "sentinel-dashboard"
    ]
  }; do
    # An unknown directive is only a warning to it.
    said=$(systemd-analyze verify --man=no "$unit"/*.service 2>&1 | grep sentinel || true)
    test -z "$said" || { echo "$said"; exit 1; }
  done
  touch $out
''
