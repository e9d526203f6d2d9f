import json


def started(machine, unit="sentinel-agent.service"):
    """Waits until the unit says that it works (Type=notify)."""
    machine.wait_for_unit(unit)
    machine.wait_until_succeeds("curl --fail --silent http://127.0.0.1:9101/readyz", timeout=60)


def alerts(machine, field="RULE_ID"):
    """Alerts of the agent in the journal since the boot: their values of a field."""
    lines = machine.succeed("journalctl --boot --output=json --unit=sentinel-agent").splitlines()
    entries = [json.loads(line) for line in lines]
    return [entry[field] for entry in entries if field in entry]


def metric(machine, name):
    """Sum of a metric of the agent over its labels."""
    text = machine.succeed("curl --fail --silent http://127.0.0.1:9102/metrics")
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


