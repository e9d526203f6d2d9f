{{/* Name of the chart. */}}
{{- define "sentinel.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of what belongs to the release; 50 characters leave room for what follows it. */}}
{{- define "sentinel.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "sentinel.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "sentinel.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What names the pods of a part: (list $ "agent"). It never changes for a release. */}}
{{- define "sentinel.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "sentinel.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* All labels of a part: (list $ "agent"). */}}
{{- define "sentinel.labels" -}}
{{- $root := index . 0 -}}
{{ include "sentinel.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Reference of an image: (list $ "agent"). */}}
{{- define "sentinel.image" -}}
{{- $root := index . 0 -}}
{{- $part := index . 1 -}}
{{- $whole := index $root.Values.image $part -}}
{{- $image := (index $root.Values $part).image -}}
{{- if $whole -}}
{{- $whole -}}
{{- else -}}
{{- with $root.Values.global.imageRegistry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- $image.repository }}:{{ default $root.Chart.AppVersion $image.tag -}}
{{- end -}}
{{- end -}}

{{- define "sentinel.pullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ if kindIs "string" . }}{{ . }}{{ else }}{{ .name }}{{ end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "sentinel.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (printf "%s-agent" (include "sentinel.fullname" .)) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Where agents send events. */}}
{{- define "sentinel.endpoint" -}}
{{- if .Values.agent.grpc.endpoint -}}
{{- .Values.agent.grpc.endpoint -}}
{{- else -}}
{{- printf "%s-detector:%v" (include "sentinel.fullname" .) .Values.detector.service.port -}}
{{- end -}}
{{- end -}}

{{/* The modes of the stream, as a list in JSON. */}}
{{- define "sentinel.modes" -}}
{{- if kindIs "string" .Values.agent.stream.mode }}{{ list .Values.agent.stream.mode | toJson }}{{ else }}{{ .Values.agent.stream.mode | toJson }}{{ end -}}
{{- end -}}

{{/* The secret with the detector's certificate; nothing without encryption. */}}
{{- define "sentinel.detectorTls" -}}
{{- if .Values.detector.tls.secret -}}
{{- .Values.detector.tls.secret -}}
{{- else if .Values.detector.tls.certManager.enabled -}}
{{- include "sentinel.fullname" . }}-detector-tls
{{- end -}}
{{- end -}}

{{/* Whether there is a dashboard: without any detector it would have nothing to show. */}}
{{- define "sentinel.dashboard" -}}
{{- if and .Values.dashboard.enabled (or .Values.detector.enabled .Values.dashboard.detectors) }}yes{{ end -}}
{{- end -}}

{{/* What a container without any rights looks like. */}}
{{- define "sentinel.restricted" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Where pods may be: a part's values. */}}
{{- define "sentinel.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* Whether agents watch pods: auto, on or off. YAML 1.1 reads the last two as true and false. */ -}}
{{- define "sentinel.kubernetes" -}}
{{- $wanted := .Values.agent.kubernetes -}}
{{- if kindIs "bool" $wanted }}{{ ternary "on" "off" $wanted }}{{ else }}{{ $wanted }}{{ end -}}
{{- end -}}

{{/* How agents and detectors reach NATS, as JSON. The password is in the environment. */}}
{{- define "sentinel.nats" -}}
{{- $nats := dict "servers" .Values.nats.servers "stream" .Values.nats.stream -}}
{{- with .Values.nats.user }}{{ $_ := set $nats "user" . }}{{ end -}}
{{- if .Values.nats.tls.enabled -}}
{{- $tls := dict "enabled" true -}}
{{- if .Values.nats.tls.caSecret }}{{ $_ := set $tls "ca" "/etc/sentinel-nats/ca.crt" }}{{ end -}}
{{- $_ := set $nats "tls" $tls -}}
{{- end -}}
{{- toJson $nats -}}
{{- end -}}

{{/* What of NATS a pod is given: mounts, volumes. */}}
{{- define "sentinel.nats.mount" -}}
{{- if and .Values.nats.servers .Values.nats.tls.enabled .Values.nats.tls.caSecret }}
- name: nats-ca
  mountPath: /etc/sentinel-nats
  readOnly: true
{{- end }}
{{- end -}}
{{- define "sentinel.nats.volume" -}}
{{- if and .Values.nats.servers .Values.nats.tls.enabled .Values.nats.tls.caSecret }}
- name: nats-ca
  secret: {{- include "sentinel.caFile" .Values.nats.tls.caSecret | nindent 4 }}
{{- end }}
{{- end -}}

{{/* Of a secret, its authority only. */}}
{{- define "sentinel.caFile" -}}
secretName: {{ . }}
items:
  - key: ca.crt
    path: ca.crt
{{- end -}}

{{/* Secrets, as files that the programs find by their names. Sources of a volume: (list $ PART). */}}
{{- define "sentinel.credentials" -}}
{{- $values := (index . 0).Values -}}
{{- $part := index . 1 -}}
{{- $wanted := list -}}
{{- if and (eq $part "detector") $values.detector.tokenSecret -}}
{{- $wanted = append $wanted (list $values.detector.tokenSecret "token" "http-token") -}}
{{- end -}}
{{- if and (eq $part "detector") $values.detector.history.postgres.url $values.detector.history.postgres.passwordSecret -}}
{{- $wanted = append $wanted (list $values.detector.history.postgres.passwordSecret "password" "postgres-password") -}}
{{- end -}}
{{- if and (eq $part "dashboard") $values.detector.tokenSecret -}}
{{- $wanted = append $wanted (list $values.detector.tokenSecret "token" "detector-token") -}}
{{- end -}}
{{- if and (eq $part "dashboard") $values.dashboard.access.tokenSecret -}}
{{- $wanted = append $wanted (list $values.dashboard.access.tokenSecret "token" "dashboard-token") -}}
{{- end -}}
{{- $bus := and $values.nats.servers $values.nats.passwordSecret -}}
{{- if and $bus (or (eq $part "detector") (and (eq $part "agent") (has "nats" (include "sentinel.modes" (index . 0) | fromJsonArray)))) -}}
{{- $wanted = append $wanted (list $values.nats.passwordSecret "password" "nats-password") -}}
{{- end -}}
{{- range $wanted }}
- secret:
    name: {{ index . 0 | quote }}
    items:
      - key: {{ index . 1 }}
        path: {{ index . 2 }}
{{- end }}
{{- end -}}
{{- define "sentinel.credentials.env" -}}
{{- if include "sentinel.credentials" . -}}
- name: CREDENTIALS_DIRECTORY
  value: /etc/sentinel-credentials
{{- end -}}
{{- end -}}
{{- define "sentinel.credentials.mount" -}}
{{- if include "sentinel.credentials" . -}}
- name: credentials
  mountPath: /etc/sentinel-credentials
  readOnly: true
{{- end -}}
{{- end -}}
{{- define "sentinel.credentials.volume" -}}
{{- with include "sentinel.credentials" . | trim -}}
- name: credentials
  projected:
    # For the group of the pod; nobody else.
    defaultMode: 0440
    sources: {{- . | nindent 6 }}
{{- end -}}
{{- end -}}
