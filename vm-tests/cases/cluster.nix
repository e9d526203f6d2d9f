# Two nodes and one detector elsewhere: what both see arrives, also after the network was away.
{ machine, pkgs, ... }:
let
  node = machine {
    services.sentinel.agent = {
      forwardRules = [
        {
          name = "the-witness";
          event = "file_write";
          match.pathPrefixes = [ "/var/witness" ];
        }
      ];
      settings = {
        stream.mode = "grpc";
        grpc.endpoint = "detector:50051";
      };
    };
    environment.systemPackages = [ pkgs.curl ];
  };
in
{
  nodes = {
    detector = machine {
      services.sentinel = {
        agent.enable = false;
        detector = {
          enable = true;
          openFirewall = true;
          settings.grpc.address = "0.0.0.0";
          settings.engines = [ "pass-through" ];
          # Each event is logged.
          settings.logLevel = "debug";
        };
      };
    };
    one = node;
    two = node;
  };

  testScript = ''
    start_all()
    detector.wait_for_unit("sentinel-detector.service")
    detector.wait_for_open_port(50051)
    for node in [one, two]:
        started(node)


    def logged(word):
        detector.wait_until_succeeds(f"journalctl --unit=sentinel-detector | grep {word}", timeout=120)


    with subtest("what each writes arrives"):
        one.succeed("echo x > /var/witness-first-one")
        two.succeed("echo x > /var/witness-first-two")
        logged("witness-first-one")
        logged("witness-first-two")

    with subtest("what is written while the network is away arrives afterwards"):
        two.block()
        two.succeed("echo x > /var/witness-alone")
        two.unblock()
        logged("witness-alone")

    with subtest("what no rule names stays on its node"):
        one.succeed("echo x > /var/other-thing && echo x > /var/witness-last")
        logged("witness-last")
        detector.fail("journalctl --unit=sentinel-detector | grep other-thing")
  '';
}
