# Claims about the NixOS module, judged against the stand-in: `nix-instantiate --eval --strict --json` of this file gives
# the names of those that do not hold, and the units as text for systemd-analyze.
let
  system = "x86_64-linux";
  pkgs = import ./nixpkgs/pkgs.nix { inherit system; };
  inherit (pkgs) lib;
  flake.packages.${system} = import ../packages.nix { inherit pkgs; };
  module = import ../../nixos-module flake;

  machine =
    settings:
    (pkgs.nixos {
      imports = [ module ];
      services.sentinel = settings;
    }).config;
  whole = machine { enable = true; };
  unit = config: name: config.systemd.units."sentinel-${name}.service".text;
  # What a program's configuration file holds: the text that its check derivation is given.
  configuration =
    config: name:
    let
      path = lib.last (
        lib.splitString " --config " config.systemd.services."sentinel-${name}".serviceConfig.ExecStart
      );
    in
    path;
  written =
    config: name: config.environment.etc."sentinel-ebpf/${name}-config.yaml".source.configuration.value;
  settings = config: written config "agent";

  leaves =
    set:
    lib.concatMap (value: if lib.isAttrs value then leaves value else [ value ]) (lib.attrValues set);

  refused =
    settings:
    !(builtins.tryEval (
      let
        config = machine settings;
      in
      builtins.deepSeq (lib.mapAttrs (_: unit: unit.text) config.systemd.units) true
    )).success;
  accepted = settings: !refused settings;

  claims = {
    enable_turns_on_all_three = lib.all (name: whole.systemd.services ? "sentinel-${name}") [
      "agent"
      "detector"
      "dashboard"
    ];
    nothing_is_on_by_itself =
      lib.filter (lib.hasPrefix "sentinel") (lib.attrNames (machine { }).systemd.services) == [ ];
    the_agent_alone_is_possible =
      lib.attrNames (machine { agent.enable = true; }).systemd.services == [ "sentinel-agent" ];
    the_agent_sends_to_the_detector_of_its_host = (settings whole).stream.mode == "grpc";
    an_agent_alone_has_the_programs_defaults =
      leaves (
        settings (machine {
          agent.enable = true;
        })
      ) == [ false ]; # No runtime here: none is asked.
    a_machine_with_a_runtime_lets_the_agent_ask_it =
      let
        config =
          (pkgs.nixos {
            imports = [ module ];
            services.sentinel.agent.enable = true;
            virtualisation.docker.enable = true;
          }).config;
        inherit (config.systemd.services.sentinel-agent.serviceConfig)
          AmbientCapabilities
          CapabilityBoundingSet
          ;
      in
      lib.hasInfix " CAP_DAC_OVERRIDE" AmbientCapabilities
      && AmbientCapabilities == CapabilityBoundingSet
      && !((settings config).enrichment ? runtimes);
    without_a_runtime_the_agent_may_not_write_others_files =
      let
        capabilities = whole.systemd.services.sentinel-agent.serviceConfig.AmbientCapabilities;
      in
      !(lib.hasInfix "CAP_DAC_OVERRIDE" capabilities);
    alerts_go_to_the_journal = (settings whole).detection.outputs == { journald = { }; };
    other_outputs_replace_the_journal =
      (settings (machine {
        agent.enable = true;
        agent.settings.detection.outputs.syslog = { };
      })).detection.outputs == {
        syslog = { };
      };
    what_is_set_wins =
      (settings (machine {
        enable = true;
        agent.settings.stream.mode = "file";
      })).stream.mode == "file";
    unlisted_keys_are_passed_on =
      (settings (machine {
        agent.enable = true;
        agent.settings.detection.outputs.journald = { };
      })).detection
        ? outputs;
    nulls_are_left_out =
      !(
        (settings (machine {
          agent.enable = true;
          agent.settings.logLevel = null;
        }))
          ? logLevel
      );
    the_firewall_stays_shut = whole.networking.firewall.allowedTCPPorts == [ ];
    the_firewall_opens_the_ports_of_the_settings =
      (machine {
        agent.enable = true;
        agent.openFirewall = true;
        agent.settings.metrics.port = 9999;
      }).networking.firewall.allowedTCPPorts == [
        9101
        9999
      ];
    credentials_reach_the_service =
      (machine {
        agent.enable = true;
        agent.credentials."ca.pem" = "/secrets/ca.pem";
      }).systemd.services.sentinel-agent.serviceConfig.LoadCredential == [ "ca.pem:/secrets/ca.pem" ];
    the_agent_is_nobody_in_particular =
      whole.systemd.services.sentinel-agent.serviceConfig.User == "sentinel-agent";
    configurations_are_named_in_the_store =
      lib.all (name: lib.hasPrefix builtins.storeDir (configuration whole name))
        [
          "agent"
          "detector"
          "dashboard"
        ];

    rules_written_in_the_configuration_come_beside_the_shipped_ones =
      let
        rule = {
          rule = "mine";
          desc = "mine";
          condition = "evt.type = execve";
          output = "mine";
          priority = "INFO";
        };
        rules =
          (settings (machine {
            agent.enable = true;
            agent.detectionRules = [
              rule
              "/etc/mine.yaml"
            ];
          })).detection.rules;
      in
      lib.length rules == 3
      && lib.head rules == "builtin"
      && builtins.elemAt rules 1 == "/etc/mine.yaml"
      && lib.hasSuffix "sentinel-agent-rules.yaml" (lib.last rules);
    rules_of_the_settings_stay_first =
      (written (machine {
        detector.enable = true;
        detector.settings.rules = [ "/etc/base.yaml" ];
        detector.detectionRules = [ "/etc/mine.yaml" ];
      }) "detector").rules == [
        "/etc/base.yaml"
        "/etc/mine.yaml"
      ];
    without_rules_of_its_own_the_program_decides = !((settings whole).detection ? rules);
    rules_of_the_dashboard_are_refused = refused {
      dashboard.enable = true;
      dashboard.detectionRules = [ ];
    };

    a_wrong_type_is_refused = refused {
      agent.enable = true;
      agent.settings.health.port = "http";
    };
    a_wrong_mode_is_refused = refused {
      agent.enable = true;
      agent.settings.stream.mode = "grcp";
    };
    an_unknown_option_is_refused = refused {
      agent.enable = true;
      agent.setings = { };
    };
    several_modes_are_accepted = accepted {
      agent.enable = true;
      agent.settings.stream.mode = [
        "grpc"
        "file"
      ];
    };
    a_log_where_the_service_may_not_write_is_refused = refused {
      agent.enable = true;
      agent.settings.stream = {
        mode = "file";
        file.path = "/srv/events.bin";
      };
    };
    a_token_in_the_store_is_refused = refused {
      detector.enable = true;
      detector.settings.http.token = "secret";
    };
    a_password_of_nats_in_the_store_is_refused = lib.all refused [
      {
        agent.enable = true;
        agent.settings.nats.password = "secret";
      }
      {
        detector.enable = true;
        detector.settings.nats.password = "secret";
      }
    ];
    a_password_of_the_database_in_the_store_is_refused = refused {
      detector.enable = true;
      detector.settings.history.postgresUrl = "postgresql://me:secret@db/sentinel";
    };
    one_that_is_a_credential_is_accepted = accepted {
      detector.enable = true;
      detector.credentials."postgres-password" = "/secrets/db";
      detector.settings.history.postgresUrl = "postgresql://me@db:5432/sentinel?sslmode=require";
    };
    a_bus_is_accepted = accepted {
      enable = true;
      agent.settings.stream.mode = "nats";
      agent.settings.nats.servers = [ "nats://bus:4222" ];
      detector.settings.nats.servers = [ "nats://bus:4222" ];
    };
    an_output_that_is_not_set_is_not_written =
      !((settings whole).detection.outputs ? syslog) && (settings whole).detection.outputs ? journald;
    a_wrong_format_of_alerts_is_refused = refused {
      agent.enable = true;
      agent.settings.detection.outputs.stdout.format = "xml";
    };
    a_certificate_without_key_is_refused = refused {
      detector.enable = true;
      detector.settings.grpc.tls.cert = "/run/credentials/sentinel-detector.service/cert.pem";
    };
    an_open_dashboard_for_other_machines_is_refused = refused {
      dashboard.enable = true;
      dashboard.settings.http.address = "0.0.0.0";
    };
    one_with_a_token_is_accepted = accepted {
      dashboard.enable = true;
      dashboard.settings = {
        http.address = "0.0.0.0";
        access.mode = "token";
      };
    };
  };

  # Names of the listed keys of a program, e.g. "stream.file.path": a test looks for them in its reference.
  keysOf =
    path: options:
    lib.concatMap (
      name:
      let
        here = path ++ [ name ];
      in
      [ (lib.concatStringsSep "." here) ] ++ keysOf here (options.${name}.type.options or { })
    ) (lib.attrNames options);
  evaluated = pkgs.nixos { imports = [ module ]; };
  options = evaluated.options.services.sentinel;
  keys = lib.genAttrs [ "agent" "detector" "dashboard" ] (
    name: keysOf [ ] options.${name}.settings.type.options
  );

  # Rows of docs/reference/nixos-options.md.
  shown =
    option:
    if option ? defaultText then
      option.defaultText.text
    else if lib.isAttrs (option.default or null) && option.default != { } then
      "a package"
    else
      builtins.toJSON (option.default or null);
  rowsOf =
    path: set:
    lib.concatMap (
      name:
      let
        option = set.${name};
        here = "${path}.${name}";
      in
      if (option._type or "") != "option" then
        rowsOf here option
      else
        [
          {
            name = here;
            type = option.type.name;
            default = shown option;
            description = lib.concatStringsSep " " (
              lib.filter (word: lib.isString word && word != "") (builtins.split "[ \n]+" option.description)
            );
          }
        ]
        ++ rowsOf here (option.type.options or { })
    ) (lib.attrNames set);
in
{
  failed = lib.attrNames (lib.filterAttrs (_: holds: !holds) claims);
  count = lib.length (lib.attrNames claims);
  units = lib.genAttrs [ "agent" "detector" "dashboard" ] (unit whole);
  # What they read; scripts/tests/nspawn.sh boots both.
  configurations = lib.genAttrs [ "agent" "detector" "dashboard" ] (written whole);
  inherit keys;
  options = rowsOf "services.sentinel" options;
}
