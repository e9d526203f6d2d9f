flake:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  service = import ./service.nix {
    inherit
      config
      lib
      pkgs
      flake
      ;
    name = "detector";
  };
  inherit (service) cfg yaml;
in
{
  options.services.sentinel.detector = service.options // {
    settings = mkOption {
      default = { };
      description = "`detector-config.yaml`; every key is described in `docs/reference/detector-config.md`.";
      type = types.submodule {
        freeformType = yaml.type;
        options = service.settings;
      };
    };
  };

  config = lib.mkIf cfg.enable {
    # Its state directory: the user of this service exists only while it runs.
    services.sentinel.detector.settings = {
      history.path = lib.mkDefault "/var/lib/sentinel-detector/history.db";
      baseline.path = lib.mkDefault "/var/lib/sentinel-detector/baseline.bin";
    };

    assertions = [
      {
        assertion =
          let
            inherit (cfg.settings) http history nats;
            url = history.postgresUrl;
          in
          !(http ? token || nats ? password)
          && (url == null || builtins.match ".*://[^/@]*:[^/@]*@.*" url == null);
        message = ''
          services.sentinel.detector.settings: a token or password in it would be readable by everybody; set
          credentials."http-token", "nats-password" or "postgres-password" to a file.
        '';
      }
      {
        assertion = cfg.settings.grpc.tls.cert == null || cfg.settings.grpc.tls.key != null;
        message = "services.sentinel.detector.settings.grpc.tls: cert is set and key is not; set both, or neither.";
      }
    ];

    systemd.services.sentinel-detector = service.service;
    environment.etc = service.etc;

    networking.firewall.allowedTCPPorts = lib.mkIf cfg.openFirewall (
      service.portsOf [
        {
          set = cfg.settings.grpc.port;
          default = 50051;
        }
        {
          set = cfg.settings.http.port;
          default = 8090;
        }
      ]
    );
  };
}
