# The units of nixos-module/units.nix as unit files for other distributions: file name → text.
# `scripts/render-nix.sh` writes them to dist/systemd/; a test compares.
let
  each = f: {
    agent = f "agent";
    detector = f "detector";
    dashboard = f "dashboard";
  };
  units = import ../nixos-module/units.nix {
    programs = each (name: "/usr/bin/sentinel-${name}");
    arguments = each (_: "");
    kill = "/bin/kill";
  };

  word =
    value:
    if value == true then
      "yes"
    else if value == false then
      "no"
    else
      toString value;
  line =
    key: value:
    if builtins.isList value then
      builtins.concatStringsSep "" (map (one: "${key}=${word one}\n") value)
    else
      "${key}=${word value}\n";
  lines = set: builtins.concatStringsSep "" (map (key: line key set.${key}) (builtins.attrNames set));

  render = name: unit: {
    name = "sentinel-${name}.service";
    value = ''
      # Written by scripts/render-nix.sh from nixos-module/units.nix, where the reasons stand; do not edit.
      # To change something on one machine: systemctl edit sentinel-${name}
      [Unit]
      Description=${unit.description}
      Documentation=man:sentinel(1)
      After=${toString unit.after}

      [Service]
      ExecStart=${unit.execStart}
      ${lines unit.serviceConfig}
      [Install]
      WantedBy=multi-user.target
    '';
  };
in
builtins.listToAttrs (builtins.attrValues (builtins.mapAttrs render units))
