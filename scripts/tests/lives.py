"""Containers of chosen lives in a pod, for scripts/tests/lives.sh, which puts the code of cri.proto beside this and calls:

    lives.py SOCKET WORK IMAGE NAME:MILLISECONDS...   one container after the other, to its end; prints NAME and id of each
    lives.py SOCKET WORK IMAGE COUNT                  so many that end at once

The pod's UID is in WORK/pods.json while it lives, and after.
"""

import json
import pathlib
import sys
import time
import uuid

import cri_pb2 as cri
import cri_pb2_grpc
import grpc

ENDED = 2
HOST = cri.NamespaceOption(network=2, pid=1)


class Pod:
    """The pod shop-1 of namespace shop, and containers in it."""

    def __init__(self, runtime, work, image):
        uid = str(uuid.uuid4())
        self.runtime, self.image = runtime, image
        self.labels = {
            "io.kubernetes.pod.name": "shop-1",
            "io.kubernetes.pod.namespace": "shop",
            "io.kubernetes.pod.uid": uid,
        }
        self.config = cri.PodSandboxConfig(
            metadata=cri.PodSandboxMetadata(name="shop-1", uid=uid, namespace="shop"),
            log_directory=str(work / "logs"),
            labels=self.labels,
            linux=cri.LinuxPodSandboxConfig(
                cgroup_parent=f"/kubepods/burstable/pod{uid}",
                security_context=cri.LinuxSandboxSecurityContext(namespace_options=HOST),
            ),
        )
        file = work / "pods.json"
        known = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps({**known, uid: {"uid": uid}}))
        self.id = runtime.RunPodSandbox(cri.RunPodSandboxRequest(config=self.config)).pod_sandbox_id

    def live(self, name, milliseconds):
        """Runs one container to its end; returns its id."""
        config = cri.ContainerConfig(
            metadata=cri.ContainerMetadata(name=name),
            image=cri.ImageSpec(image=self.image),
            command=["/program", str(milliseconds)],
            labels={**self.labels, "io.kubernetes.container.name": name},
            log_path=f"{name}.log",
            linux=cri.LinuxContainerConfig(
                security_context=cri.LinuxContainerSecurityContext(
                    namespace_options=HOST,
                    run_as_user=cri.Int64Value(value=4242),
                    run_as_group=cri.Int64Value(value=4343),
                )
            ),
        )
        asked = cri.CreateContainerRequest(pod_sandbox_id=self.id, config=config, sandbox_config=self.config)
        container = cri.ContainerId(container_id=self.runtime.CreateContainer(asked).container_id)
        self.runtime.StartContainer(container)
        until = time.monotonic() + milliseconds / 1000 + 60
        while (status := self.runtime.ContainerStatus(container).status).state != ENDED:
            if time.monotonic() > until:
                sys.exit(f"error: {name} does not end")
            time.sleep(0.005)
        if status.exit_code != 0:
            sys.exit(f"error: {name} ends with {status.exit_code}")
        self.runtime.RemoveContainer(container)
        return container.container_id

    def end(self):
        self.runtime.StopPodSandbox(cri.PodSandboxId(pod_sandbox_id=self.id))
        self.runtime.RemovePodSandbox(cri.PodSandboxId(pod_sandbox_id=self.id))


def main():
    socket, work, image, *lives = sys.argv[1:]
    runtime = cri_pb2_grpc.RuntimeServiceStub(grpc.insecure_channel(f"unix://{socket}"))
    pod = Pod(runtime, pathlib.Path(work), image)
    try:
        if len(lives) == 1 and lives[0].isdigit():
            for number in range(int(lives[0])):
                pod.live(f"one-{number}", 0)
            return
        for life in lives:
            name, _, milliseconds = life.partition(":")
            print(name, pod.live(name, int(milliseconds)), flush=True)
    finally:
        pod.end()


main()
