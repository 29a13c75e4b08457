package tests

import (
	"strings"
	"testing"
)

// Values that would make something that cannot work are refused, with what to do instead.
func TestRefusedValues(t *testing.T) {
	for name, c := range map[string]struct {
		values string
		want   []string
	}{
		"nothing at all": {`{}`, []string{"issuer is missing", "--set issuer=https://id.example.com",
			`kubectl create secret generic --namespace identity wicket-master-key --from-literal=master-key="$(openssl rand -base64 32)"`,
			"--set masterKey.existingSecret=wicket-master-key",
			`kubectl create secret generic --namespace identity wicket-database --from-literal=uri='postgres://USER:PASSWORD@HOST:5432/NAME'`, "--set database.existingSecret=CLUSTER-app", "--set database.kind=sqlite"}},
		"an issuer with a slash":  {production + "\n---\nissuer: https://id.example.com/", []string{"/issuer"}},
		"an issuer with a path":   {production + "\n---\nissuer: https://example.com/id", []string{"/issuer"}},
		"an issuer without https": {production + "\n---\nissuer: http://id.example.com", []string{"must use https"}},
		"an Ingress to localhost": {trial + "\n---\ningress: {enabled: true}", []string{
			"set issuer to the public https address",
		}},
		"SQLite on two": {trial + "\n---\nreplicas: 2", []string{
			"replicas must be 1 with database.kind=sqlite",
		}},
		"SQLite that scales": {trial + "\n---\nautoscaling: {enabled: true}", []string{
			"autoscaling cannot be enabled with database.kind=sqlite",
		}},
		"SQLite migrated by a Job": {trial + "\n---\nmigrations: {mode: job}", []string{
			"migrations.mode=job needs PostgreSQL",
		}},
		"SQLite and PostgreSQL": {trial + "\n---\ndatabase: {existingSecret: db-app}", []string{
			"database.existingSecret=db-app would not be used",
		}},
		"another database": {production + "\n---\ndatabase: {kind: mysql}", []string{
			"/database/kind", "postgres", "sqlite",
		}},
		"a route to nowhere": {production + "\n---\nhttpRoute: {enabled: true}", []string{
			"httpRoute.parentRefs is missing", "--set httpRoute.parentRefs[0].name=public",
		}},
		"an Ingress that is not trusted": {production + "\n---\ningress: {enabled: true}\nconfig: {WICKET_TRUSTED_PROXIES: ''}", []string{
			"config.WICKET_TRUSTED_PROXIES is missing", "--set config.WICKET_TRUSTED_PROXIES=none",
		}},
		"everybody is a proxy": {production + "\n---\nconfig: {WICKET_TRUSTED_PROXIES: '10.1.0.0/16, 0.0.0.0/0'}", []string{
			"trusts 0.0.0.0/0", "--set networkPolicy.from[0]",
		}},
		"everybody by IPv6 is a proxy": {production + "\n---\nconfig: {WICKET_TRUSTED_PROXIES: '::/0'}", []string{"trusts ::/0"}},
		"a wide network of proxies": {production + "\n---\nconfig: {WICKET_TRUSTED_PROXIES: '2000::/3'}\nnetworkPolicy: {enabled: false, from: [{podSelector: {}}]}", []string{
			"trusts 2000::/3",
		}},
		"no time to drain": {production + "\n---\nshutdown: {preStopSleepSeconds: 30}", []string{
			"terminationGracePeriodSeconds is 60 and must be at least 75", "preStopSleepSeconds=30, drainSeconds=5 and 40",
			"--set shutdown.terminationGracePeriodSeconds=75",
		}},
		"scaling upside down": {production + "\n---\nautoscaling: {enabled: true, minReplicas: 9}", []string{
			"minReplicas is greater than",
		}},
		"a key of no Secret": {production + "\n---\nsms: {signingKey: x}", []string{
			"sms.existingSecret, which is missing",
		}},
		"the issuer as a variable": {production + "\n---\nconfig: {WICKET_ISSUER: x}", []string{
			"WICKET_ISSUER is set by the chart: use the value issuer",
		}},
		"the apps as a variable": {production + "\n---\nconfig: {WICKET_CLIENTS_FILE: /x}", []string{
			"WICKET_CLIENTS_FILE is set by the chart: use the value clients",
		}},
		"a secret as a variable": {production + "\n---\nconfig: {WICKET_SMTP_URL: smtp://u:p@h}", []string{
			"WICKET_SMTP_URL is a secret, or holds one: use the value smtp.existingSecret",
		}},
		"another secret as a variable": {production + "\n---\nconfig: {WICKET_GOOGLE_CLIENT_SECRET: x}", []string{
			"kubectl create secret generic --namespace identity wicket-google-client-secret",
			"secretVariables.WICKET_GOOGLE_CLIENT_SECRET.existingSecret",
		}},
		"the first link as a variable": {production + "\n---\nconfig: {WICKET_FIRST_INVITATION: x}", []string{
			"use the value firstAdministrator.existingSecret",
		}},
		"a secret twice": {production +
			"\n---\nsecretVariables: {WICKET_REDIS_URL: {existingSecret: x, key: x}}", []string{"use the value redis.existingSecret"}},
		"a variable that is no text": {production + "\n---\nconfig: {WICKET_X: true}", []string{
			"/config/WICKET_X", "string",
		}},
		"a mistyped variable": {production +
			"\n---\nconfig: {WICKET_REGISTRATON: open, WICKET_FIDO_METADATA_FILE: /x}", []string{"WICKET_REGISTRATON is no variable of Wicket"}},
		"a mistyped secret": {production +
			"\n---\nsecretVariables: {WICKET_GOGGLE_CLIENT_SECRET: {existingSecret: x, key: x}}", []string{"WICKET_GOGGLE_CLIENT_SECRET is no variable of Wicket"}},
		"a variable in lower case": {production + "\n---\nconfig: {wicket_x: y}", []string{"/config"}},
		"an app without a secret": {production +
			"\n---\nclients: [{client_id: shop, client_name: Shop, redirect_uris: ['https://shop.example/']}]", []string{"clients: shop has no existingSecret", "kubectl create secret generic --namespace identity shop-oidc --from-literal=client-secret="}},
		"an app's secret": {production +
			"\n---\nclients: [{client_id: shop, client_name: Shop, client_secret: hunter2}]", []string{"/clients/0", "client_secret"}},
		"an app's mistyped name": {production +
			"\n---\nclients: [{client_id: shop, client_name: Shop, redirect_uri: x}]", []string{"/clients/0", "redirect_uri"}},
		"an app without a name": {production + "\n---\nclients: [{client_id: shop}]", []string{
			"/clients/0", "client_name",
		}},
		"the providers as a variable": {production + "\n---\nconfig: {WICKET_PROVIDERS: x}", []string{
			"WICKET_PROVIDERS is set by the chart: use the value providers",
		}},
		"a provider without a secret": {production + "\n---\nproviders: [{kind: google, client_id: wicket}]", []string{
			"providers: google has no existingSecret",
			"kubectl create secret generic --namespace identity google-upstream --from-literal=client-secret=",
		}},
		"a provider's secret": {production +
			"\n---\nproviders: [{kind: google, client_id: wicket, client_secret: hunter2}]", []string{"/providers/0", "client_secret"}},
		"a provider of no issuer": {production +
			"\n---\nproviders: [{kind: oidc, name: Acme, client_id: wicket, existingSecret: x}]", []string{"/providers/0", "issuer"}},
		"a provider of another kind": {production +
			"\n---\nproviders: [{kind: okta, client_id: wicket, existingSecret: x}]", []string{"/providers/0/kind"}},
		"a provider's mistyped setting": {production +
			"\n---\nproviders: [{kind: google, client_id: wicket, existingSecret: x, settings: {email: proved}}]", []string{"/providers/0/settings", "email"}},
		"a mistyped value": {production + "\n---\nreplica: 2", []string{"replica"}},
		"a mistyped value further down": {production + "\n---\nsmtp: {existingSecrets: x}", []string{
			"/smtp", "existingSecrets",
		}},
		"a Secret's content": {production + "\n---\nmasterKey: {existingSecret: 'c2VjcmV0IQ=='}", []string{
			"/masterKey/existingSecret",
		}},
		"a port out of reach":       {production + "\n---\nservice: {port: 99999}", []string{"/service/port"}},
		"a digest that is none":     {production + "\n---\nimage: {digest: latest}", []string{"/image/digest"}},
		"an unknown way to migrate": {production + "\n---\nmigrations: {mode: hook}", []string{"/migrations/mode"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := renderAs(t, testRelease, testNamespace, strings.Split(c.values, "\n---\n")...)
			if err == nil {
				t.Fatal("it was taken")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("it is refused without %q:\n%v", want, err)
				}
			}
		})
	}
}

// As a part of another chart it gets values that it does not know: they must not stop it.
func TestAsASubchart(t *testing.T) {
	render(t, production, `{enabled: true, global: {imageRegistry: registry.example.com, anything: [1]}}`)
}
