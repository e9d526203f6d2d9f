# What the three services share: options of a program, its configuration file checked at build, its unit.
{
  config,
  lib,
  pkgs,
  flake,
  # "agent", "detector" or "dashboard".
  name,
}:
let
  secrets =
    {
      agent = "`nats-password`";
      detector = "`http-token`, `nats-password` and `postgres-password`";
      dashboard = "`dashboard-token` and `detector-token`";
    }
    .${name};
  cfg = config.services.sentinel.${name};
  yaml = pkgs.formats.yaml { };
  program = lib.getExe' cfg.package "sentinel-${name}";

  # Where the program's configuration names detection rules.
  rulesKey =
    {
      agent = [
        "detection"
        "rules"
      ];
      detector = [ "rules" ];
    }
    .${name} or null;
  # Those of the option beside those of the settings: files, then a file of what is written here.
  ruleFiles =
    let
      isFile = rule: !lib.isAttrs rule || rule ? outPath;
      written = lib.filter (rule: !isFile rule) cfg.detectionRules;
      set = lib.attrByPath rulesKey null cfg.settings;
    in
    (if set == null then [ "builtin" ] else set)
    ++ map (file: "${file}") (lib.filter isFile cfg.detectionRules)
    ++ lib.optional (written != [ ]) "${yaml.generate "sentinel-${name}-rules.yaml" written}";
  settings =
    if cfg.detectionRules or [ ] == [ ] then
      cfg.settings
    else
      lib.recursiveUpdate cfg.settings (lib.setAttrByPath rulesKey ruleFiles);

  # Options of keys default to null: the program's own default, which its reference tells.
  # (An empty section is kept: `outputs.journald = { }` means something.)
  given = lib.filterAttrsRecursive (_: value: value != null) settings;

  # The program itself says whether its configuration is right, at build. It can where the builder can run it.
  file =
    pkgs.runCommand "sentinel-${name}-config.yaml"
      {
        configuration = yaml.generate "sentinel-${name}-unchecked.yaml" given;
        preferLocalBuild = true;
      }
      (
        lib.optionalString
          (cfg.checkConfig && pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform)
          ''
            # Secrets are the machine's: something in their place.
            mkdir credentials
            for name in ${lib.escapeShellArgs (lib.attrNames cfg.credentials)}; do
              echo 0123456789abcdef > "credentials/$name"
            done
            CREDENTIALS_DIRECTORY=$PWD/credentials ${program} --config "$configuration" --check-config
          ''
        + ''
          cp "$configuration" "$out"
        ''
      );

  units = import ./units.nix {
    programs.${name} = program;
    arguments.${name} = " --config ${file}";
    kill = lib.getExe' pkgs.coreutils "kill";
  };
  unit = units.${name};

  # A key: null stands for the program's default.
  key =
    type: description:
    lib.mkOption {
      type = lib.types.nullOr type;
      default = null;
      inherit description;
    };
  # A group of keys, open for those that are not listed here.
  group =
    options:
    lib.types.submodule {
      freeformType = yaml.type;
      inherit options;
    };
  keys =
    options:
    lib.mkOption {
      type = group options;
      default = { };
      description = "Keys of the same name; others are passed on as they are.";
    };
  # One that counts by being there, if only empty.
  present = options: key (group options) "On when it is set; `{ }` is its defaults.";
  shared = import ./settings/shared.nix {
    inherit
      lib
      key
      keys
      present
      ;
  };
in
{
  inherit cfg yaml;

  # Where those who keep the machine look.
  etc."sentinel-ebpf/${name}-config.yaml".source = file;

  # Options of the program's configuration.
  settings = import (./settings + "/${name}.nix") {
    inherit
      lib
      key
      keys
      shared
      ;
  };

  options = {
    enable = lib.mkEnableOption "the Sentinel ${name}" // {
      default = config.services.sentinel.enable;
      defaultText = lib.literalExpression "config.services.sentinel.enable";
    };
    package = lib.mkOption {
      type = lib.types.package;
      default = flake.packages.${pkgs.stdenv.hostPlatform.system}.${name};
      defaultText = lib.literalExpression "sentinel.packages.\${system}.${name}";
      description = "What `sentinel-${name}` is taken from.";
    };
    openFirewall = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = ''
        Whether other machines may reach its ports. They bind the loopback unless `settings` has another `address`,
        and then want encryption or a token.
      '';
    };
    credentials = lib.mkOption {
      type = lib.types.attrsOf lib.types.path;
      default = { };
      example = {
        "ca.pem" = "/var/lib/secrets/sentinel-ca.pem";
      };
      description = ''
        Secret files, by name. The service manager reads them as root and shows them to this service only, as
        `/run/credentials/sentinel-${name}.service/NAME`: write that path in `settings`. They never enter the store.
        The program finds those named ${secrets} by itself.
      '';
    };
    checkConfig = lib.mkOption {
      type = lib.types.bool;
      default = true;
      description = ''
        Whether the program checks its configuration at build. Turn it off where the configuration names files that
        only the running machine has, such as rules below `/var`.
      '';
    };
  }
  // lib.optionalAttrs (rulesKey != null) {
    detectionRules = lib.mkOption {
      type = lib.types.listOf (lib.types.either lib.types.path (lib.types.attrsOf lib.types.anything));
      default = [ ];
      example = [
        {
          rule = "Shell of the web server";
          desc = "Nothing of nginx starts a shell";
          condition = "sn_started and proc.pname = nginx and sn_shell";
          output = "shell of the web server (command=%proc.cmdline)";
          priority = "CRITICAL";
        }
      ];
      description = ''
        Detection rules beside those of `settings`, or beside the shipped ones where it names none: files, or rules, lists
        and macros themselves, checked at build.
      '';
    };
  };

  service = {
    inherit (unit) description after;
    documentation = [ "https://github.com/sentinel-security/sentinel" ];
    wantedBy = [ "multi-user.target" ];
    serviceConfig = unit.serviceConfig // {
      ExecStart = unit.execStart;
      LoadCredential = lib.mapAttrsToList (credential: path: "${credential}:${path}") cfg.credentials;
    };
  };

  # Ports that are opened: those of the settings, or the program's defaults.
  portsOf = map ({ set, default }: if set == null then default else set);
}
