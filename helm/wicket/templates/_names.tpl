{{- /* What things are called. Every label is quoted: a release may be named y, or 1. */}}

{{- define "wicket.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* 52 characters leave room for the suffixes that follow. */}}
{{- define "wicket.fullname" -}}
{{- $name := include "wicket.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "wicket.selector" -}}
app.kubernetes.io/name: {{ include "wicket.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "wicket.labels" -}}
{{ include "wicket.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- range $name, $value := .Values.commonLabels }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end }}

{{- /* metadata: name, namespace and labels of an object. Takes the root, and a suffix, labels and annotations where there are any. */}}
{{- define "wicket.metadata" -}}
{{- $root := .root -}}
name: {{ printf "%s%s" (include "wicket.fullname" $root) (.suffix | default "") | quote }}
namespace: {{ $root.Release.Namespace | quote }}
labels:
  {{- include "wicket.labels" $root | nindent 2 }}
  {{- range $name, $value := .labels }}
  {{ $name }}: {{ $value | quote }}
  {{- end }}
{{- with .annotations }}
annotations:
  {{- range $name, $value := . }}
  {{ $name }}: {{ $value | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "wicket.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "wicket.fullname" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{- define "wicket.image" -}}
{{- $image := .Values.image }}
{{- $registry := ((.Values.global).imageRegistry) | default $image.registry }}
{{- with $registry }}{{ . }}/{{ end }}{{ $image.repository }}{{ if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* The host of the issuer, without its port. */}}
{{- define "wicket.host" -}}
{{- (urlParse .Values.issuer).hostname }}
{{- end }}

{{- define "wicket.replicas" -}}
{{- if kindIs "invalid" .Values.replicas }}{{ ternary 1 2 (eq .Values.database.kind "sqlite") }}{{ else }}{{ .Values.replicas | int }}{{ end }}
{{- end }}

{{- /* Not empty where there may be more pods than one for long. */}}
{{- define "wicket.several" -}}
{{- if .Values.autoscaling.enabled }}{{ if gt (int .Values.autoscaling.minReplicas) 1 }}yes{{ end }}{{ else if gt (include "wicket.replicas" . | int) 1 }}yes{{ end }}
{{- end }}
