flake:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  sentinel = config.services.sentinel;
  service = import ./service.nix {
    inherit
      config
      lib
      pkgs
      flake
      ;
    name = "agent";
  };
  inherit (service) cfg yaml;

  withFile = mode: mode == "file" || (lib.isList mode && lib.elem "file" mode);

  rulesFile =
    if lib.isList cfg.forwardRules then
      yaml.generate "sentinel-rules.yaml" { rules = cfg.forwardRules; }
    else
      cfg.forwardRules;
in
{
  options.services.sentinel.agent = service.options // {
    forwardRules = mkOption {
      type = types.nullOr (types.either types.path (types.listOf (types.attrsOf types.anything)));
      default = null;
      example = [
        {
          name = "writes-below-etc";
          event = "file_write";
          match.pathPrefixes = [ "/etc/" ];
        }
      ];
      description = ''
        Which events leave the machine: a file, or the rules themselves, checked at build. Null forwards every
        read and write of files; the empty list forwards nothing.
      '';
    };

    containerRuntimes = mkOption {
      type = types.bool;
      default =
        config.virtualisation.docker.enable or false
        || config.virtualisation.podman.enable or false
        || config.virtualisation.containerd.enable or false
        || config.virtualisation.cri-o.enable or false
        || config.services.k3s.enable or false;
      defaultText = lib.literalMD "whether this machine runs Docker, podman, containerd, CRI-O or k3s";
      description = ''
        Whether container runtimes are asked for the names, images and pods of containers. Their sockets are root's:
        the agent is given CAP_DAC_OVERRIDE for it. Without, containers are told by their ids.
      '';
    };

    settings = mkOption {
      default = { };
      description = "`agent-config.yaml`; every key is described in `docs/reference/config.md`.";
      type = types.submodule {
        freeformType = yaml.type;
        options = service.settings;
      };
    };
  };

  config = lib.mkIf cfg.enable {
    services.sentinel.agent.settings = lib.mkMerge [
      (lib.mkIf (cfg.forwardRules != null) { rulesFile = "${rulesFile}"; })
      # The detector of this host is where events go, if there is one.
      (lib.mkIf sentinel.detector.enable { stream.mode = lib.mkDefault "grpc"; })
      (lib.mkIf (!cfg.containerRuntimes) { enrichment.runtimes = lib.mkDefault false; })
      # Alerts are in the journal, with fields: journalctl RULE_ID=reverse_shell
      { detection.outputs = lib.mkDefault { journald = { }; }; }
    ];

    assertions = [
      {
        assertion = !(cfg.settings.nats ? password);
        message = ''
          services.sentinel.agent.settings.nats.password would be readable by everybody; set
          credentials."nats-password" to a file.
        '';
      }
      {
        assertion =
          let
            path = cfg.settings.stream.file.path;
          in
          withFile cfg.settings.stream.mode && path != null -> lib.hasPrefix "/var/log/sentinel-ebpf/" path;
        message = ''
          services.sentinel.agent.settings.stream.file.path: the service may write below /var/log/sentinel-ebpf/ only.
          Choose a path there, or add yours to systemd.services.sentinel-agent.serviceConfig.ReadWritePaths and set
          the path with lib.mkForce in systemd's own options.
        '';
      }
    ];

    users.users.sentinel-agent = {
      isSystemUser = true;
      group = "sentinel-agent";
      description = "Sentinel agent";
    };
    users.groups.sentinel-agent = { };
    # The same line as in dist/tmpfiles.conf.
    systemd.tmpfiles.rules = [
      "d /sys/fs/bpf/sentinel-discarded 0700 sentinel-agent sentinel-agent -"
    ];

    systemd.services.sentinel-agent =
      if cfg.containerRuntimes then
        lib.recursiveUpdate service.service {
          serviceConfig = lib.genAttrs [ "AmbientCapabilities" "CapabilityBoundingSet" ] (
            key: "${service.service.serviceConfig.${key}} CAP_DAC_OVERRIDE"
          );
        }
      else
        service.service;

    # `sentinel doctor`, `tail`, `rules` for whoever keeps this machine.
    environment.systemPackages = [ flake.packages.${pkgs.stdenv.hostPlatform.system}.cli ];
    environment.etc = service.etc;

    networking.firewall.allowedTCPPorts = lib.mkIf cfg.openFirewall (
      service.portsOf [
        {
          set = cfg.settings.health.port;
          default = 9101;
        }
        {
          set = cfg.settings.metrics.port;
          default = 9102;
        }
      ]
    );
  };
}
