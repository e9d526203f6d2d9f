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
  inherit (service) cfg yaml;
in
{
  options.services.sentinel.dashboard = service.options // {
    settings = mkOption {
      default = { };
      description = "`dashboard-config.yaml`; every key is described in `docs/reference/dashboard-config.md`.";
      type = types.submodule {
        freeformType = yaml.type;
        options = service.settings;
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
    environment.etc = service.etc;

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
