# Enough of NixOS to evaluate a machine: the options that our module and tests use, and units as text.
{ pkgs }:
configuration:
let
  inherit (pkgs) lib;
  inherit (lib) mkOption types;
  strings = types.listOf types.str;
  free = mkOption {
    type = types.anything;
    default = { };
  };
  option = type: default: mkOption { inherit type default; };
  sets =
    options:
    mkOption {
      type = types.attrsOf (types.submodule { inherit options; });
      default = { };
    };

  value =
    word:
    if word == true then
      "true"
    else if word == false then
      "false"
    else
      toString word;
  lines =
    set:
    lib.concatStrings (
      lib.mapAttrsToList (
        name: word:
        if lib.isList word then
          lib.concatStrings (map (one: "${name}=${value one}\n") word)
        else
          "${name}=${value word}\n"
      ) set
    );
  unitText = service: ''
    [Unit]
    Description=${service.description}
    ${lines {
      After = toString service.after;
      Documentation = toString service.documentation;
    }}
    [Service]
    ${lines service.serviceConfig}
  '';

  machine =
    { config, ... }:
    {
      options = {
        assertions = option (types.listOf types.anything) [ ];
        boot = {
          kernelPackages = option types.anything pkgs.linuxPackages_6_18;
          kernelParams = option strings [ ];
          loader = free;
        };
        environment = {
          etc = sets {
            source = option types.anything null;
            text = option types.lines "";
          };
          systemPackages = option (types.listOf types.package) [ ];
        };
        fileSystems = free;
        networking = {
          firewall.allowedTCPPorts = option (types.listOf types.port) [ ];
          hostName = option types.str "machine";
        };
        security.lsm = option strings [ ];
        services.k3s = free;
        system.stateVersion = option types.str "26.05";
        systemd = {
          services = sets {
            after = option strings [ ];
            description = option types.str "";
            documentation = option strings [ ];
            wantedBy = option strings [ ];
            serviceConfig = option (types.attrsOf types.anything) { };
          };
          tmpfiles.rules = option strings [ ];
          units = free;
        };
        users = {
          groups = sets { };
          users = sets {
            description = option types.str "";
            group = option types.str "";
            isSystemUser = option types.bool false;
            isNormalUser = option types.bool false;
          };
        };
        virtualisation = free;
      };

      config.systemd.units = lib.mapAttrs' (
        name: service:
        lib.nameValuePair "${name}.service" {
          text = unitText service;
          unit = pkgs.writeText "unit-${name}.service" (unitText service);
        }
      ) config.systemd.services;
    };

  evaluated = lib.evalModules {
    modules = [
      machine
      configuration
    ];
    specialArgs = { inherit pkgs; };
  };
  broken = lib.filter (one: !one.assertion) evaluated.config.assertions;
in
if broken == [ ] then evaluated else throw "assertion: ${(lib.head broken).message}"
