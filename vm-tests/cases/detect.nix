# Every simulated attack trips its rule; its benign twin does not.
{
  machine,
  pkgs,
  self,
  ...
}:
let
  inherit (self.packages.${pkgs.stdenv.hostPlatform.system}) simulate;
in
{
  nodes.machine = machine {
    environment.systemPackages = [
      simulate
      pkgs.curl
    ];
  };
  timeout = 3600;

  testScript = ''
    started(machine)
    attacks = json.loads(machine.succeed("sentinel-simulate list --json"))
    assert attacks != []


    def tripped(name, cursor):
        lines = machine.succeed(
            f"journalctl --output=json --unit=sentinel-agent --after-cursor='{cursor}'"
        ).splitlines()
        return name in [json.loads(line).get("RULE") for line in lines]


    def cursor():
        shown = machine.succeed("journalctl --sync; journalctl --lines=0 --show-cursor")
        return shown.split("-- cursor: ")[1].strip()


    for attack in attacks:
        with subtest(attack["name"]):
            before = cursor()
            machine.succeed(f"sentinel-simulate run {attack['name']}")
            retry(lambda _: tripped(attack["rule"], before), 30)

            # Losses and delays are no alibi for the twin: the attack after it is seen again.
            before = cursor()
            machine.succeed(f"sentinel-simulate run --benign {attack['name']}")
            machine.succeed("sentinel-simulate run become-root")
            retry(lambda _: tripped("Process became root", before), 30)
            if attack["rule"] != "Process became root":
                assert not tripped(attack["rule"], before), "the twin trips the rule"
  '';
}
