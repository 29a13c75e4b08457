{{- /* What wakes somebody up (critical) or waits for the morning (warning). The metrics are in docs/watching.md. */}}
{{- define "wicket.alerts" -}}
{{- $of := printf "job=%q, namespace=%q" (printf "%s-metrics" (include "wicket.fullname" .)) .Release.Namespace -}}
- alert: WicketDown
  expr: absent(up{ {{- $of -}} } == 1)
  for: 2m
  labels: {severity: critical}
  annotations:
    summary: Nobody can sign in, for no pod of Wicket answers.
- alert: WicketReplicaDown
  expr: up{ {{- $of -}} } == 0
  for: 5m
  labels: {severity: warning}
  annotations:
    summary: {{ "Wicket's pod {{ $labels.pod }} does not answer." | quote }}
- alert: WicketFails
  expr: |-
    sum(rate(wicket_http_request_seconds_count{ {{- $of }}, status=~"5.."}[5m]))
      / sum(rate(wicket_http_request_seconds_count{ {{- $of -}} }[5m])) > 0.01
  for: 5m
  labels: {severity: critical}
  annotations:
    summary: {{ "Of Wicket's answers {{ $value | humanizePercentage }} are faults; the log says which." | quote }}
- alert: WicketSlow
  expr: |-
    histogram_quantile(0.99, sum by (le) (rate(wicket_http_request_seconds_bucket{ {{- $of }}, route!~"/sign-in|/register|/reset-password|/account/password"}[5m]))) > 1
  for: 10m
  labels: {severity: warning}
  annotations:
    summary: {{ "One in a hundred requests to Wicket takes longer than {{ $value | humanizeDuration }}." | quote }}
- alert: WicketPasswordsWait
  expr: min_over_time(wicket_password_checks_waiting{ {{- $of -}} }[5m]) > 0
  for: 5m
  labels: {severity: warning}
  annotations:
    summary: {{ "People wait to sign in: {{ $labels.pod }} has too little CPU to check their passwords." | quote }}
- alert: WicketSignInsFail
  expr: |-
    sum(rate(wicket_sign_ins_total{ {{- $of }}, outcome!="success"}[10m])) > 1
      and sum(rate(wicket_sign_ins_total{ {{- $of }}, outcome!="success"}[10m])) > 5 * sum(rate(wicket_sign_ins_total{ {{- $of }}, outcome!="success"}[1d]))
  for: 10m
  labels: {severity: warning}
  annotations:
    summary: {{ "{{ $value | humanize }} sign-ins fail each second, five times as many as on other days; wicket report logins says from where." | quote }}
- alert: WicketTextMessagesEnd
  expr: sum(increase(wicket_text_messages_total{ {{- $of }}, outcome="phone.exhausted"}[15m])) > 0
  labels: {severity: warning}
  annotations:
    summary: Wicket sends no more text messages today, to one country or at all. Somebody may earn money by them; see WICKET_SMS_COUNTRIES and WICKET_SMS_DAILY.
- alert: WicketRedisAway
  expr: wicket_redis_up{ {{- $of -}} } == 0
  for: 5m
  labels: {severity: warning}
  annotations:
    summary: {{ "Redis does not answer {{ $labels.pod }}, which counts limits for itself." | quote }}
- alert: WicketJobsGivenUp
  expr: max(wicket_jobs{ {{- $of }}, state="discarded"}) - max(wicket_jobs{ {{- $of }}, state="discarded"} offset 1h) > 0
  labels: {severity: warning}
  annotations:
    summary: {{ "Wicket gave up {{ $value }} jobs in the last hour, perhaps emails; the log says why." | quote }}
- alert: WicketUpkeepLate
  expr: |-
    time() - max(wicket_upkeep_last_success_timestamp_seconds{ {{- $of -}} }) > 7200
      and time() - min(process_start_time_seconds{ {{- $of -}} }) > 7200
  for: 1h
  labels: {severity: warning}
  annotations:
    summary: Wicket's hourly upkeep has not finished for hours; what has expired stays, and the database grows.
{{- end }}
