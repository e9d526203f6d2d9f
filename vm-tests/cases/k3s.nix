# The chart of this repository with the images of this flake on a real Kubernetes (k3s): pods become ready, a write in a
# pod is logged by the detector as an anomaly, and `helm test` passes.
{
  machine,
  pkgs,
  self,
  ...
}:
let
  inherit (self.packages.${pkgs.stdenv.hostPlatform.system})
    image-agent
    image-detector
    image-dashboard
    ;
  # For the pod that writes, and for `helm test`.
  tools = pkgs.dockerTools.streamLayeredImage {
    name = "tools";
    tag = "1";
    contents = [ pkgs.busybox ];
    config.Cmd = [ "/bin/sh" ];
  };
in
{
  nodes.machine = machine {
    # Here it comes by the chart.
    services.sentinel.agent.enable = false;
    services.k3s = {
      enable = true;
      role = "server";
      images = [ pkgs.k3s.airgap-images ];
      extraFlags = [
        "--disable=traefik"
        "--disable=metrics-server"
      ];
    };
    environment.systemPackages = [
      pkgs.kubernetes-helm
      pkgs.k3s
    ];
    virtualisation = {
      memorySize = pkgs.lib.mkForce 4096;
      diskSize = 8192;
    };
  };
  timeout = 2400;

  testScript = ''
    machine.wait_for_unit("k3s.service")
    for image in ["${image-agent}", "${image-detector}", "${image-dashboard}", "${tools}"]:
        machine.succeed(f"{image} | k3s ctr images import -")
    machine.wait_until_succeeds("k3s kubectl wait --for=condition=Ready node --all --timeout=5s", timeout=300)

    with subtest("the chart is installed and everything becomes ready"):
        machine.succeed(
            "KUBECONFIG=/etc/rancher/k3s/k3s.yaml helm install sentinel ${../../helm/sentinel}"
            " --namespace security --create-namespace --wait --timeout 10m"
            " --set tests.image=tools:1"
            " --set-json 'detection.rules=[]' --set-json 'detector.engines=[\"rules\"]'"
        )

    with subtest("the services answer by the names that others use"):
        machine.succeed("KUBECONFIG=/etc/rancher/k3s/k3s.yaml helm test --namespace security sentinel --timeout 3m")

    with subtest("a write to /etc/hosts in a pod is an anomaly"):
        machine.succeed(
            "k3s kubectl run smoke --image tools:1 --image-pull-policy Never --restart Never --"
            " /bin/sh -c 'echo smoke >> /etc/hosts; /bin/sleep 60'"
        )
        machine.wait_until_succeeds(
            "k3s kubectl --namespace security logs --selector app.kubernetes.io/component=detector --tail -1"
            " | grep -i anomaly | grep /etc/hosts",
            timeout=120,
        )

    with subtest("what the pod may not say, it does not: no pod of ours can list secrets"):
        machine.fail(
            "k3s kubectl auth can-i list secrets --as=system:serviceaccount:security:sentinel-agent | grep -x yes"
        )
  '';
}
