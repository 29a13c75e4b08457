{{- /* What wakes somebody up. job is the metrics Service. */}}
{{- define "wicket.alerts" -}}
{{- $job := printf "job=%q, namespace=%q" (printf "%s-metrics" (include "wicket.fullname" .)) .Release.Namespace }}
- alert: WicketDown
  expr: absent(up{ {{- $job -}} } == 1)
  for: 2m
  labels: {severity: critical}
  annotations:
    summary: Nobody can sign in, for no pod of Wicket answers.
- alert: WicketReplicaDown
  expr: up{ {{- $job -}} } == 0
  for: 5m
  labels: {severity: warning}
  annotations:
    summary: {{ "Wicket's pod {{ $labels.pod }} does not answer." | quote }}
{{- end }}
