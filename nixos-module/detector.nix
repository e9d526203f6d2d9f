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
  inherit (service)
    cfg
    key
    keys
    yaml
    ;
in
{
  options.services.sentinel.detector = service.options // {
    tokenFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = "/var/lib/secrets/sentinel-detector.env";
      description = ''
        An environment file with `SENTINEL_HTTP_TOKEN=…`, what clients of the alerts API must present. Not in
        `settings`: these are in the store, which everybody may read.
      '';
    };

    settings = mkOption {
      default = { };
      description = "`detector-config.yaml`; every key is described in `docs/reference/detector-config.md`.";
      type = types.submodule {
        freeformType = yaml.type;
        options = {
          logLevel = key types.str "How much is logged.";
          engines = key (types.listOf types.str) "What judges events.";
          grpc = keys {
            address = key types.str "IP address at which agents are served.";
            port = key types.port "Its TCP port.";
            tls = keys {
              cert = key types.str "Certificate chain, PEM; see `credentials`.";
              key = key types.str "Private key of it, PEM; see `credentials`.";
              clientCa = key types.str "Authorities of the agents' certificates, PEM; see `credentials`.";
            };
          };
          http = keys {
            address = key types.str "IP address of the alerts API.";
            port = key types.port "Its TCP port.";
          };
          history = keys {
            path = key types.str "The database of alerts.";
          };
        };
      };
    };
  };

  config = lib.mkIf cfg.enable {
    # Its state directory: the user of this service exists only while it runs.
    services.sentinel.detector.settings.history.path =
      lib.mkDefault "/var/lib/sentinel-detector/history.db";

    assertions = [
      {
        assertion = !(cfg.settings.http ? token);
        message = "services.sentinel.detector.settings.http.token would be readable by everybody; use tokenFile.";
      }
      {
        assertion = cfg.settings.grpc.tls.cert == null || cfg.settings.grpc.tls.key != null;
        message = "services.sentinel.detector.settings.grpc.tls: cert is set and key is not; set both, or neither.";
      }
    ];

    systemd.services.sentinel-detector = lib.mkMerge [
      service.service
      (lib.mkIf (cfg.tokenFile != null) { serviceConfig.EnvironmentFile = cfg.tokenFile; })
    ];

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
