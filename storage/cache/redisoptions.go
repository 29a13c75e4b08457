package cache

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// RedisOptions say where Redis is and how to get in.
type RedisOptions = redis.UniversalOptions

const (
	redisPatience     = 100 * time.Millisecond // what a request waits for Redis at the most, all told
	redisDialPatience = 2 * time.Second        // what a look whether it is back waits
)

// ParseRedis reads the URL of a Redis server, Sentinel or Cluster:
//
//	redis://USER:PASSWORD@HOST:6379/DATABASE
//	redis://USER:PASSWORD@SENTINEL:26379/DATABASE?master_name=NAME&addr=SENTINEL2:26379&addr=SENTINEL3:26379
//	redis://USER:PASSWORD@NODE:6379?cluster=true&addr=NODE2:6379&addr=NODE3:6379
//
// With rediss:// it is TLS, and ca=FILE names the certificates to trust, where they are not the system's.
// Sentinels that want a password get theirs by sentinel_username and sentinel_password. The errors never repeat a
// password.
func ParseRedis(rawURL string) (*RedisOptions, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Hostname() == "" || strings.Contains(u.Host, ",") || u.Scheme != "redis" && u.Scheme != "rediss" {
		return nil, errors.New(
			"must look like redis://USER:PASSWORD@HOST:6379/0, or rediss:// for TLS; further hosts of a Cluster or of Sentinels as &addr=HOST:PORT",
		)
	}
	o := &RedisOptions{Username: u.User.Username()}
	o.Password, _ = u.User.Password()
	var cluster, authority string
	if err := readParameters(u.Query(), map[string]*string{
		"master_name": &o.MasterName, "cluster": &cluster, "ca": &authority,
		"sentinel_username": &o.SentinelUsername, "sentinel_password": &o.SentinelPassword,
	}); err != nil {
		return nil, err
	}
	port, others := u.Port(), u.Query()["addr"]
	switch {
	case cluster != "" && cluster != "true":
		return nil, errors.New("cluster must be true or left out")
	case cluster != "" && o.MasterName != "":
		return nil, errors.New("cluster=true and master_name exclude each other: " +
			"it is a Cluster, or Sentinels watch one master")
	case len(others) > 0 && cluster == "" && o.MasterName == "":
		return nil, errors.New("several hosts need cluster=true for a Cluster, or master_name=NAME for Sentinels")
	case port == "" && o.MasterName != "":
		port = "26379"
	case port == "":
		port = "6379"
	}
	o.IsClusterMode = cluster != ""
	o.Addrs = append([]string{net.JoinHostPort(u.Hostname(), port)}, others...)
	if database := strings.Trim(u.Path, "/"); database != "" {
		if o.DB, err = strconv.Atoi(database); err != nil || o.DB < 0 {
			return nil, fmt.Errorf("the database after the host must be a number, not %q", database)
		}
		if o.IsClusterMode && o.DB != 0 {
			return nil, errors.New("a Cluster has the database 0 alone")
		}
	}
	o.TLSConfig, err = redisTLS(u.Scheme == "rediss", authority)
	return o, err
}

// readParameters reads the parameters of the URL into single ones, and checks the addresses of further hosts.
func readParameters(query url.Values, single map[string]*string) error {
	for name, values := range query {
		switch into := single[name]; {
		case name == "addr":
			for _, address := range values {
				if _, _, err := net.SplitHostPort(address); err != nil {
					return errors.New("an addr is not HOST:PORT") // it may hold a password by mistake
				}
			}
		case into == nil:
			return fmt.Errorf("the parameter %s is unknown; there are addr, ca, cluster, master_name, sentinel_username "+
				"and sentinel_password", name)
		case len(values) > 1:
			return fmt.Errorf("the parameter %s is given twice", name)
		default:
			*into = values[0]
		}
	}
	return nil
}

// redisTLS is how the server is to prove who it is; nil: by nothing. authority is the path of certificates in PEM.
func redisTLS(wanted bool, authority string) (*tls.Config, error) {
	if !wanted {
		if authority != "" {
			return nil, errors.New("ca is for rediss://")
		}
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if authority == "" {
		return config, nil
	}
	pem, err := os.ReadFile(authority)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca: %s holds no certificate in PEM", authority)
	}
	return config, nil
}

// dialRedis returns a client that tries once and says so: what to do without Redis is ours to decide. It does not
// connect yet; when it does, it gets in with what credentials returns.
func dialRedis(o *RedisOptions, credentials func() (username, password string)) redis.UniversalClient {
	redis.SetLogger(silence{})
	settled := *o
	settled.ClientName = "wicket"
	settled.CredentialsProvider = credentials
	settled.DisableIdentity = true
	settled.Protocol = 2 // we have no use for what 3 adds, and proxies before Redis know it
	settled.ContextTimeoutEnabled = true
	settled.DialTimeout, settled.DialerRetries = redisDialPatience, 1
	settled.ReadTimeout, settled.WriteTimeout = redisDialPatience, redisDialPatience
	settled.PoolTimeout = redisDialPatience
	settled.MaxRetries = -1
	settled.MaxRedirects = 3 // a Cluster moves slots
	settled.ReadBufferSize, settled.WriteBufferSize, settled.PipelinePoolSize = 4<<10, 4<<10, -1
	settled.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewUniversalClient(&settled)
}

// probeRedis asks for a sign of life of everything that verbs might reach: a write, because a replica answers and
// refuses to write, and every master of a Cluster.
func probeRedis(ctx context.Context, client redis.UniversalClient) error {
	ctx, cancel := context.WithTimeout(ctx, redisDialPatience)
	defer cancel()
	if cluster, ok := client.(*redis.ClusterClient); ok {
		cluster.ReloadState(ctx)
		if err := cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
			return master.Ping(ctx).Err()
		}); err != nil {
			return err
		}
	}
	return client.Set(ctx, redisPrefix+"probe", "", time.Second).Err()
}

// silence keeps the client from writing to stderr what it returns as an error too.
type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}
