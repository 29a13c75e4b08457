{{- /* What values.schema.json cannot say. Everything that is wrong is named at once, with what to do. */}}
{{- define "wicket.checks" -}}
{{- $faults := list }}
{{- $values := .Values }}
{{- $name := include "wicket.fullname" . }}
{{- $make := printf "kubectl create secret generic --namespace %s" .Release.Namespace }}
{{- $sqlite := eq $values.database.kind "sqlite" }}
{{- if not $values.issuer }}
  {{- $faults = append $faults "issuer is missing: the public address, to the letter as apps know it, for example\n  --set issuer=https://id.example.com" }}
{{- else if and (hasPrefix "http:" $values.issuer) (not (has (include "wicket.host" .) (list "localhost" "127.0.0.1" "::1"))) }}
  {{- $faults = append $faults (printf "issuer %s must use https; http is for localhost alone" $values.issuer) }}
{{- else if and (hasPrefix "http:" $values.issuer) (or $values.ingress.enabled $values.httpRoute.enabled) }}
  {{- $faults = append $faults (printf "issuer %s is this machine alone, and yet an Ingress or HTTPRoute shall lead there: set issuer to the public https address" $values.issuer) }}
{{- end }}
{{- if $sqlite }}
  {{- if gt (include "wicket.replicas" . | int) 1 }}
    {{- $faults = append $faults "replicas must be 1 with database.kind=sqlite, for one process alone may write to its file; use PostgreSQL for several" }}
  {{- end }}
  {{- if $values.autoscaling.enabled }}
    {{- $faults = append $faults "autoscaling cannot be enabled with database.kind=sqlite, for one process alone may write to its file; use PostgreSQL for several" }}
  {{- end }}
  {{- if eq $values.migrations.mode "job" }}
    {{- $faults = append $faults "migrations.mode=job needs PostgreSQL: with SQLite the volume belongs to the one pod; use initContainer" }}
  {{- end }}
  {{- if $values.database.existingSecret }}
    {{- $faults = append $faults (printf "database.existingSecret=%s would not be used with database.kind=sqlite; leave one of them out" $values.database.existingSecret) }}
  {{- end }}
{{- else }}
  {{- if not $values.masterKey.existingSecret }}
    {{- $faults = append $faults (printf "masterKey.existingSecret is missing: the Secret with the master key. Make one, keep a copy of the key where it is safe, for what it sealed cannot be read without it, and name it:\n  %s %s-master-key --from-literal=%s=\"$(openssl rand -base64 32)\"\n  --set masterKey.existingSecret=%s-master-key" $make $name $values.masterKey.key $name) }}
  {{- end }}
  {{- if not $values.database.existingSecret }}
    {{- $faults = append $faults (printf "database.existingSecret is missing: the Secret with the URL of the PostgreSQL database. With CloudNativePG it exists already:\n  --set database.existingSecret=CLUSTER-app\nElse make one and name it:\n  %s %s-database --from-literal=%s='postgres://USER:PASSWORD@HOST:5432/NAME'\n  --set database.existingSecret=%s-database\nOr try it on one replica without a database server:\n  --set database.kind=sqlite" $make $name $values.database.key $name) }}
  {{- end }}
{{- end }}
{{- if and $values.httpRoute.enabled (not $values.httpRoute.parentRefs) }}
  {{- $faults = append $faults "httpRoute.parentRefs is missing: the Gateways that it belongs to, for example\n  --set httpRoute.parentRefs[0].name=public --set httpRoute.parentRefs[0].namespace=gateways" }}
{{- end }}
{{- if and (or $values.ingress.enabled $values.httpRoute.enabled) (not $values.config.WICKET_TRUSTED_PROXIES) (not $values.config.WICKET_TRUSTED_PROXIES_FILE) }}
  {{- $faults = append $faults "config.WICKET_TRUSTED_PROXIES is missing: the network of the ingress controller's pods. Without it all visitors seem to come from one address, and one of them can use up the limits of all. For example\n  --set config.WICKET_TRUSTED_PROXIES=10.0.0.0/8\nor, if visitors' own addresses arrive,\n  --set config.WICKET_TRUSTED_PROXIES=none" }}
{{- end }}
{{- if not (and $values.networkPolicy.enabled $values.networkPolicy.from) }}
  {{- range $network := regexSplit "[,\\s]+" (toString ($values.config.WICKET_TRUSTED_PROXIES | default "")) -1 }}
    {{- if or (regexMatch "^[0-9.]+/[0-7]$" $network) (regexMatch "^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*/([0-9]|[12][0-9]|3[01])$" $network) }}
      {{- $faults = append $faults (printf "config.WICKET_TRUSTED_PROXIES trusts %s, and networkPolicy lets everybody call the server: anybody there could pass for any address. Name the network of the ingress controller's pods, or let nobody else in, for example\n  --set networkPolicy.from[0].namespaceSelector.matchLabels.kubernetes\\.io/metadata\\.name=ingress-nginx" $network) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- $finish := 40 }}{{- /* requests and then jobs, shutdownPatience each */}}
{{- $grace := ternary $finish (add (int $values.shutdown.preStopSleepSeconds) (int $values.shutdown.drainSeconds) $finish | int) $sqlite }}
{{- if lt (int $values.shutdown.terminationGracePeriodSeconds) $grace }}
  {{- $faults = append $faults (printf "shutdown.terminationGracePeriodSeconds is %d and must be at least %d, or pods are killed in the middle of requests:%s %d in which requests and jobs are finished\n  --set shutdown.terminationGracePeriodSeconds=%d" (int $values.shutdown.terminationGracePeriodSeconds) $grace (ternary "" (printf " preStopSleepSeconds=%d, drainSeconds=%d and" (int $values.shutdown.preStopSleepSeconds) (int $values.shutdown.drainSeconds)) $sqlite) $finish $grace) }}
{{- end }}
{{- if and $values.autoscaling.enabled (gt (int $values.autoscaling.minReplicas) (int $values.autoscaling.maxReplicas)) }}
  {{- $faults = append $faults "autoscaling.minReplicas is greater than autoscaling.maxReplicas" }}
{{- end }}
{{- if and $values.sms.signingKey (not $values.sms.existingSecret) }}
  {{- $faults = append $faults "sms.signingKey is a key of sms.existingSecret, which is missing" }}
{{- end }}
{{- $secret := dict "WICKET_SECRET" "masterKey.existingSecret" "WICKET_DATABASE_URL" "database.existingSecret" "WICKET_REDIS_URL" "redis.existingSecret" "WICKET_SMTP_URL" "smtp.existingSecret" "WICKET_SMS_URL" "sms.existingSecret" "WICKET_SMS_SECRET" "sms.signingKey" "WICKET_FIRST_INVITATION" "firstAdministrator.existingSecret" }}
{{- $chosen := dict "WICKET_ISSUER" "issuer" "WICKET_LISTEN" "service.port" "WICKET_METRICS_LISTEN" "metrics.port" "WICKET_DRAIN" "shutdown.drainSeconds" "WICKET_MIGRATE" "migrations.mode" "WICKET_CLIENTS" "clients" "WICKET_CONFIGURATION" "configuration" "WICKET_PROVIDERS" "providers" }}
{{- range $variable := concat (keys $values.config) (keys $values.secretVariables) | sortAlpha }}
  {{- $bare := trimSuffix "_FILE" $variable }}
  {{- with get $chosen $bare }}
    {{- $faults = append $faults (printf "%s is set by the chart: use the value %s" $variable .) }}
  {{- end }}
  {{- with get $secret $bare }}
    {{- $faults = append $faults (printf "%s is a secret, or holds one: use the value %s" $variable .) }}
  {{- end }}
{{- end }}
{{- $known := .Files.Get "variables.txt" | trim | splitList "\n" }}{{- /* made from Wicket's configuration: make docs */}}
{{- range $variable := concat (keys $values.config) (keys $values.secretVariables) | sortAlpha }}
  {{- if and (hasPrefix "WICKET_" $variable) (not (has (trimSuffix "_FILE" $variable) $known)) }}
    {{- $faults = append $faults (printf "%s is no variable of Wicket, which would refuse to start: docs/configuration.md lists them" $variable) }}
  {{- end }}
{{- end }}
{{- range $variable := keys $values.config | sortAlpha }}
  {{- if regexMatch "_(SECRET|PASSWORD|TOKEN)$" $variable }}{{ if not (hasKey $secret $variable) }}
    {{- $faults = append $faults (printf "config.%s would put a secret where everybody may read it. Make a Secret and name it:\n  %s %s-%s --from-literal=value=...\n  --set secretVariables.%s.existingSecret=%s-%s --set secretVariables.%s.key=value" $variable $make $name ($variable | lower | replace "_" "-" | trimPrefix "wicket-") $variable $name ($variable | lower | replace "_" "-" | trimPrefix "wicket-") $variable) }}
  {{- end }}{{ end }}
{{- end }}
{{- range concat $values.clients $values.configuration.clients }}
  {{- $method := .token_endpoint_auth_method | default "client_secret_basic" }}
  {{- if and (hasPrefix "client_secret_" $method) (not .existingSecret) (not .client_secret_file) (not .client_secret_env) }}
    {{- $faults = append $faults (printf "clients: %s has no existingSecret, the Secret with its client_secret. Make one and name it, or say token_endpoint_auth_method: none for an app that cannot keep a secret:\n  %s %s-oidc --from-literal=client-secret=\"$(openssl rand -base64 32)\"" .client_id $make .client_id) }}
  {{- end }}
{{- end }}
{{- range concat $values.providers $values.configuration.providers }}
  {{- if and (not .existingSecret) (not .client_secret_file) }}
    {{- $id := .id | default .kind }}
    {{- $faults = append $faults (printf "providers: %s has no existingSecret, the Secret with the client secret that Wicket has there. Make one and name it:\n  %s %s-upstream --from-literal=client-secret=..." $id $make $id) }}
  {{- end }}
{{- end }}
{{- if $faults }}
  {{- fail (printf "\n\n%s\n" (join "\n\n" $faults)) }}
{{- end }}
{{- end }}
