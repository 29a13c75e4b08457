{{- /* What containers of ours are made of. Whatever is secret is a file, named like its variable, which WICKET_..._FILE points to. */}}

{{- define "wicket.secretsPath" -}}/etc/wicket/secrets{{- end }}
{{- define "wicket.declaredPath" -}}/etc/wicket/declared{{- end }}
{{- define "wicket.declaredSecretsPath" -}}/etc/wicket/declared-secrets{{- end }}
{{- define "wicket.dataPath" -}}/var/lib/wicket{{- end }}

{{- /* Which variables come from which Secrets: VARIABLE: {existingSecret, key}. */}}
{{- define "wicket.secretVariables" -}}
{{- $from := dict }}
{{- $values := .Values }}
{{- with $values.masterKey }}{{ if .existingSecret }}{{ $_ := set $from "WICKET_SECRET" (pick . "existingSecret" "key") }}{{ end }}{{ end }}
{{- with $values.database }}{{ if and .existingSecret (eq .kind "postgres") }}{{ $_ := set $from "WICKET_DATABASE_URL" (pick . "existingSecret" "key") }}{{ end }}{{ end }}
{{- with $values.redis }}{{ if .existingSecret }}{{ $_ := set $from "WICKET_REDIS_URL" (pick . "existingSecret" "key") }}{{ end }}{{ end }}
{{- with $values.smtp }}{{ if .existingSecret }}{{ $_ := set $from "WICKET_SMTP_URL" (pick . "existingSecret" "key") }}{{ end }}{{ end }}
{{- with $values.sms }}{{ if .existingSecret }}
  {{- $_ := set $from "WICKET_SMS_URL" (pick . "existingSecret" "key") }}
  {{- if .signingKey }}{{ $_ := set $from "WICKET_SMS_SECRET" (dict "existingSecret" .existingSecret "key" .signingKey) }}{{ end }}
{{- end }}{{ end }}
{{- with $values.firstAdministrator }}{{ if .existingSecret }}{{ $_ := set $from "WICKET_FIRST_INVITATION" (pick . "existingSecret" "key") }}{{ end }}{{ end }}
{{- toYaml (merge $from $values.secretVariables) }}
{{- end }}

{{- /* Where, among the declared secrets, that of an app and that of a provider is. */}}
{{- define "wicket.clientSecretPath" -}}clients/{{ .client_id }}{{- end }}
{{- define "wicket.providerSecretPath" -}}providers/{{ .id | default .kind }}{{- end }}

{{- /* The apps: what values declare, each with the path of its secret, and the one that `helm test` signs in to. */}}
{{- define "wicket.clients" -}}
{{- $clients := list }}
{{- range .Values.clients }}
  {{- $client := omit . "existingSecret" "key" }}
  {{- if .existingSecret }}{{ $_ := set $client "client_secret_file" (printf "%s/%s" (include "wicket.declaredSecretsPath" $) (include "wicket.clientSecretPath" .)) }}{{ end }}
  {{- $clients = append $clients $client }}
{{- end }}
{{- if .Values.test.existingSecret }}
  {{- $clients = append $clients (dict "client_id" "wicket-check" "client_name" "wicket check" "token_endpoint_auth_method" "none"
    "grant_types" (list "authorization_code") "scope" "openid" "redirect_uris" (list "http://127.0.0.1/")) }}
{{- end }}
{{- if $clients }}{{ toYaml $clients }}{{ end }}
{{- end }}

{{- /* The providers that values declare, each with the path of its secret. */}}
{{- define "wicket.providers" -}}
{{- $providers := list }}
{{- range .Values.providers }}
  {{- $provider := omit . "existingSecret" "key" }}
  {{- if .existingSecret }}{{ $_ := set $provider "client_secret_file" (printf "%s/%s" (include "wicket.declaredSecretsPath" $) (include "wicket.providerSecretPath" .)) }}{{ end }}
  {{- $providers = append $providers $provider }}
{{- end }}
{{- if $providers }}{{ toYaml $providers }}{{ end }}
{{- end }}

{{- /* The configuration file that values are, each app with the path of its secret. */}}
{{- define "wicket.configuration" -}}
{{- $clients := list }}
{{- range .Values.configuration.clients }}
  {{- $client := omit . "existingSecret" "key" }}
  {{- if .existingSecret }}{{ $_ := set $client "client_secret_file" (printf "%s/%s" (include "wicket.declaredSecretsPath" $) (include "wicket.clientSecretPath" .)) }}{{ end }}
  {{- $clients = append $clients $client }}
{{- end }}
{{- $providers := list }}
{{- range .Values.configuration.providers }}
  {{- $provider := omit . "existingSecret" "key" }}
  {{- if .existingSecret }}{{ $_ := set $provider "client_secret_file" (printf "%s/%s" (include "wicket.declaredSecretsPath" $) (include "wicket.providerSecretPath" .)) }}{{ end }}
  {{- $providers = append $providers $provider }}
{{- end }}
{{- $file := dict "version" 1 }}
{{- with .Values.configuration.source }}{{ $_ := set $file "source" . }}{{ end }}
{{- with .Values.configuration.groups }}{{ $_ := set $file "groups" . }}{{ end }}
{{- with $clients }}{{ $_ := set $file "clients" . }}{{ end }}
{{- with .Values.configuration.apis }}{{ $_ := set $file "apis" . }}{{ end }}
{{- with $providers }}{{ $_ := set $file "providers" . }}{{ end }}
{{- if gt (len $file) 1 }}{{ toYaml $file }}{{ end }}
{{- end }}

{{- define "wicket.declared" -}}
{{- or (include "wicket.clients" .) (include "wicket.configuration" .) (include "wicket.providers" .) }}
{{- end }}

{{- define "wicket.environment" -}}
{{- with .Values.config }}
envFrom:
  - configMapRef:
      name: {{ include "wicket.fullname" $ | quote }}
  {{- with $.Values.extraEnvFrom }}{{ toYaml . | nindent 2 }}{{ end }}
{{- else }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
env:
  - name: WICKET_ISSUER
    value: {{ .Values.issuer | quote }}
  - name: WICKET_LISTEN
    value: ":8080"
  {{- if .Values.metrics.enabled }}
  - name: WICKET_METRICS_LISTEN
    value: {{ printf ":%d" (int .Values.metrics.port) | quote }}
  {{- end }}
  {{- if eq .Values.database.kind "sqlite" }}
  - name: WICKET_DATABASE_URL
    value: {{ printf "sqlite:%s/wicket.db" (include "wicket.dataPath" .) | quote }}
  {{- end }}
  - name: WICKET_DRAIN
    value: {{ printf "%ds" (ternary 0 (int .Values.shutdown.drainSeconds) (eq .Values.database.kind "sqlite")) | quote }}
  - name: WICKET_MIGRATE
    value: {{ ternary "auto" "off" (eq .Values.migrations.mode "start") | quote }}
  {{- range $name, $from := include "wicket.secretVariables" . | fromYaml }}
  - name: {{ $name }}_FILE
    value: {{ printf "%s/%s" (include "wicket.secretsPath" $) $name | quote }}
  {{- end }}
  {{- if include "wicket.clients" . }}
  - name: WICKET_CLIENTS_FILE
    value: {{ printf "%s/clients.yaml" (include "wicket.declaredPath" .) | quote }}
  {{- end }}
  {{- if include "wicket.configuration" . }}
  - name: WICKET_CONFIGURATION_FILE
    value: {{ printf "%s/configuration.yaml" (include "wicket.declaredPath" .) | quote }}
  {{- end }}
  {{- if include "wicket.providers" . }}
  - name: WICKET_PROVIDERS_FILE
    value: {{ printf "%s/providers.yaml" (include "wicket.declaredPath" .) | quote }}
  {{- end }}
  {{- with .Values.extraEnv }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}

{{- define "wicket.mounts" -}}
- name: tmp
  mountPath: /tmp
{{- if include "wicket.secretVariables" . | fromYaml }}
- name: secrets
  mountPath: {{ include "wicket.secretsPath" . }}
  readOnly: true
{{- end }}
{{- if include "wicket.declared" . }}
- name: declared
  mountPath: {{ include "wicket.declaredPath" . }} {{- /* whole, for what is mounted by subPath never changes in a running pod */}}
  readOnly: true
{{- end }}
{{- if include "wicket.declaredSecrets" . }}
- name: declared-secrets
  mountPath: {{ include "wicket.declaredSecretsPath" . }}
  readOnly: true
{{- end }}
{{- if eq .Values.database.kind "sqlite" }}
- name: data
  mountPath: {{ include "wicket.dataPath" . }}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* Where the secrets of apps and providers come from, as sources of a projected volume. */}}
{{- define "wicket.declaredSecrets" -}}
{{- range concat .Values.clients .Values.configuration.clients }}{{ if .existingSecret }}
{{- include "wicket.declaredSecret" (dict "from" . "path" (include "wicket.clientSecretPath" .)) }}
{{- end }}{{ end }}
{{- range concat .Values.providers .Values.configuration.providers }}{{ if .existingSecret }}
{{- include "wicket.declaredSecret" (dict "from" . "path" (include "wicket.providerSecretPath" .)) }}
{{- end }}{{ end }}
{{- end }}

{{- define "wicket.declaredSecret" }}
- secret:
    name: {{ .from.existingSecret | quote }}
    items:
      - key: {{ .from.key | default "client-secret" | quote }}
        path: {{ .path | quote }}
{{- end }}

{{- define "wicket.volumes" -}}
- name: tmp
  emptyDir: {}
{{- with include "wicket.secretVariables" . | fromYaml }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range $name, $from := . }}
      - secret:
          name: {{ $from.existingSecret | quote }}
          items:
            - key: {{ $from.key | quote }}
              path: {{ $name }}
      {{- end }}
{{- end }}
{{- if include "wicket.declared" . }}
- name: declared
  configMap:
    name: {{ printf "%s-declared" (include "wicket.fullname" .) | quote }}
{{- end }}
{{- with include "wicket.declaredSecrets" . }}
- name: declared-secrets
  projected:
    defaultMode: 0440
    sources:
      {{- . | nindent 6 }}
{{- end }}
{{- if eq .Values.database.kind "sqlite" }}
- name: data
  persistentVolumeClaim:
    claimName: {{ .Values.persistence.existingClaim | default (printf "%s-data" (include "wicket.fullname" .)) | quote }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* A container of ours. Takes the root, its name and its arguments. */}}
{{- define "wicket.container" -}}
name: {{ .name }}
image: {{ include "wicket.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args: {{ toJson .args }}
{{ include "wicket.environment" .root }}
securityContext:
  {{- toYaml .root.Values.securityContext | nindent 2 }}
resources:
  {{- toYaml .root.Values.resources | nindent 2 }}
volumeMounts:
  {{- include "wicket.mounts" .root | nindent 2 }}
{{- end }}

{{- /* What every pod of ours has in common. */}}
{{- define "wicket.pod" -}}
serviceAccountName: {{ include "wicket.serviceAccount" . | quote }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with concat .Values.imagePullSecrets (((.Values.global).imagePullSecrets) | default list) }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.runtimeClassName }}
runtimeClassName: {{ . | quote }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
