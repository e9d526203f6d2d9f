"""A kubelet in small: runs the pods of rendered manifests in a container runtime, with the rights, mounts and files that they ask
for. For scripts/tests/containerd.sh, which puts the code of cri.proto beside this and calls:

    pods.py run SOCKET WORK MANIFEST...   makes a pod of every workload; writes WORK/pods.json
    pods.py end SOCKET WORK               stops and removes them; writes each exit code to WORK/ends.json

Pods are on the network of whoever runs the runtime.
"""

import json
import pathlib
import sys
import uuid

import cri_pb2 as cri
import cri_pb2_grpc
import grpc
import yaml

NODE = 2
UNITS = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


def node_name(work):
    return f"node-{work.name[-4:]}"


def volume(work, pod, one, maps):
    """Directory of the host that a volume is."""
    if "hostPath" in one:
        return one["hostPath"]["path"]
    place = work / "volumes" / pod / one["name"]
    place.mkdir(parents=True)
    if "configMap" in one:
        for name, text in maps[one["configMap"]["name"]].items():
            (place / name).write_text(text)
            (place / name).chmod(0o644)
    elif "emptyDir" in one:
        place.chmod(0o777)
    else:
        sys.exit(f"error: {pod}: volume {one['name']} is of a kind that this cannot make: {one}")
    return str(place)


def security(pod, container):
    """What a container may do: its own word goes before its pod's."""
    asked = {**pod.get("securityContext", {}), **container.get("securityContext", {})}
    context = cri.LinuxContainerSecurityContext(
        privileged=asked.get("privileged", False),
        readonly_rootfs=asked.get("readOnlyRootFilesystem", False),
        no_new_privs=asked.get("allowPrivilegeEscalation") is False,
        namespace_options=cri.NamespaceOption(network=NODE, pid=NODE if pod.get("hostPID") else 1),
        capabilities=cri.Capability(
            add_capabilities=asked.get("capabilities", {}).get("add", []),
            drop_capabilities=asked.get("capabilities", {}).get("drop", []),
        ),
        seccomp=cri.SecurityProfile(profile_type=1 if asked.get("seccompProfile", {}).get("type") == "Unconfined" else 0),
    )
    for key, field in (("runAsUser", context.run_as_user), ("runAsGroup", context.run_as_group)):
        if key in asked:
            field.value = asked[key]
            field.SetInParent()
    return context


def run(runtime, work, manifests):
    objects = [one for file in manifests for one in yaml.safe_load_all(pathlib.Path(file).read_text()) if one]
    maps = {one["metadata"]["name"]: one["data"] for one in objects if one["kind"] == "ConfigMap"}
    started = {}
    for one in objects:
        if one["kind"] == "Pod":
            pod = one["spec"]
        elif one["kind"] in ("DaemonSet", "Deployment", "StatefulSet"):
            pod = one["spec"]["template"]["spec"]
        else:
            continue
        name, namespace = one["metadata"]["name"], one["metadata"].get("namespace", "security")
        if one["metadata"].get("annotations", {}).get("helm.sh/hook"):
            continue
        uid = str(uuid.uuid4())
        logs = work / "logs" / name
        logs.mkdir(parents=True)
        told = {"io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": namespace, "io.kubernetes.pod.uid": uid}
        sandbox = cri.PodSandboxConfig(
            metadata=cri.PodSandboxMetadata(name=name, uid=uid, namespace=namespace),
            log_directory=str(logs),
            labels=told,
            linux=cri.LinuxPodSandboxConfig(
                cgroup_parent=f"/kubepods/burstable/pod{uid}",
                security_context=cri.LinuxSandboxSecurityContext(
                    namespace_options=cri.NamespaceOption(network=NODE, pid=NODE if pod.get("hostPID") else 1)
                ),
            ),
        )
        sandbox_id = runtime.RunPodSandbox(cri.RunPodSandboxRequest(config=sandbox)).pod_sandbox_id
        started[name] = {"sandbox": sandbox_id, "uid": uid, "node": node_name(work)}
        # Written at once: what a failure leaves can be removed.
        (work / "pods.json").write_text(json.dumps(started))
        volumes = {each["name"]: volume(work, name, each, maps) for each in pod.get("volumes", [])}
        for container in pod["containers"]:
            limit = container.get("resources", {}).get("limits", {}).get("memory", "0Mi")
            config = cri.ContainerConfig(
                metadata=cri.ContainerMetadata(name=container["name"]),
                image=cri.ImageSpec(image=container["image"]),
                command=container.get("command", []),
                args=container.get("args", []),
                envs=[
                    cri.KeyValue(key=each["name"], value=each.get("value", node_name(work)))
                    for each in container.get("env", [])
                ],
                mounts=[
                    cri.Mount(
                        container_path=each["mountPath"],
                        host_path=volumes[each["name"]],
                        readonly=each.get("readOnly", False),
                        propagation=1 if each.get("mountPropagation") == "HostToContainer" else 0,
                    )
                    for each in container.get("volumeMounts", [])
                ],
                labels={**told, "io.kubernetes.container.name": container["name"]},
                log_path=f"{container['name']}.log",
                linux=cri.LinuxContainerConfig(
                    resources=cri.LinuxContainerResources(memory_limit_in_bytes=int(limit[:-2]) * UNITS[limit[-2:]]),
                    security_context=security(pod, container),
                ),
            )
            asked = cri.CreateContainerRequest(pod_sandbox_id=sandbox_id, config=config, sandbox_config=sandbox)
            container_id = runtime.CreateContainer(asked).container_id
            runtime.StartContainer(cri.ContainerId(container_id=container_id))
            started[name].update(container=container_id, log=str(logs / f"{container['name']}.log"))
            (work / "pods.json").write_text(json.dumps(started))


def end(runtime, work):
    file = work / "pods.json"
    pods, codes = json.loads(file.read_text()) if file.exists() else {}, {}
    for name, pod in pods.items():
        if "container" in pod:
            runtime.StopContainer(cri.StopContainerRequest(container_id=pod["container"], timeout=5))
            codes[name] = runtime.ContainerStatus(cri.ContainerId(container_id=pod["container"])).status.exit_code
        runtime.StopPodSandbox(cri.PodSandboxId(pod_sandbox_id=pod["sandbox"]))
        runtime.RemovePodSandbox(cri.PodSandboxId(pod_sandbox_id=pod["sandbox"]))
    (work / "ends.json").write_text(json.dumps(codes))


def main():
    what, socket, work, *manifests = sys.argv[1:]
    runtime = cri_pb2_grpc.RuntimeServiceStub(grpc.insecure_channel(f"unix://{socket}"))
    if what == "run":
        run(runtime, pathlib.Path(work), manifests)
    else:
        end(runtime, pathlib.Path(work))


main()
