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
    name = "dashboard";
  };
  inherit (service)
    cfg
    key
    keys
    yaml
    ;
in
{
  options.services.sentinel.dashboard = service.options // {
    settings = mkOption {
      default = { };
      description = "`dashboard-config.yaml`; every key is described in `docs/reference/dashboard-config.md`.";
      type = types.submodule {
        freeformType = yaml.type;
        options = {
          logLevel = key types.str "How much is logged.";
          http = keys {
            address = key types.str "IP address that browsers open.";
            port = key types.port "Its TCP port.";
            pathPrefix = key types.str "What a reverse proxy leaves before every path.";
            hosts = key (types.listOf types.str) "Names under which browsers reach it.";
          };
          detectors = key (types.listOf (types.attrsOf types.anything)) "Whose alerts are shown; null: this host's.";
          access = keys {
            mode = key (types.enum [
              "open"
              "token"
              "header"
            ]) "Who may look.";
            tokenFile = key types.str "File with the token; see `credentials`.";
          };
        };
      };
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion =
          let
            inherit (cfg.settings) access http;
            loopback = [
              null
              "127.0.0.1"
              "::1"
            ];
          in
          lib.elem http.address loopback
          || lib.elem access.mode [
            "token"
            "header"
          ];
        message = ''
          services.sentinel.dashboard.settings.http.address: other machines could read every alert. Set
          settings.access.mode to "token" or "header", or listen at 127.0.0.1.
        '';
      }
    ];

    systemd.services.sentinel-dashboard = service.service;

    networking.firewall.allowedTCPPorts = lib.mkIf cfg.openFirewall (
      service.portsOf [
        {
          set = cfg.settings.http.port;
          default = 8080;
        }
      ]
    );
  };
}
