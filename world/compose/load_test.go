package compose

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"brine.test/brine/world/catalogue"
)

// load writes the files into a folder and loads its compose.yaml.
func load(t *testing.T, env []string, files map[string]string) (*Project, string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, err := Load(t.Context(), filepath.Join(dir, "compose.yaml"), env)
	return p, dir, err
}

func texts(templates []*catalogue.Template) []string {
	var out []string
	for _, t := range templates {
		out = append(out, t.String())
	}
	return out
}

func TestWhatIsHonoured(t *testing.T) {
	p, dir, err := load(t, []string{"TAG=1.27", "DB_PASSWORD=hunter2"}, map[string]string{
		".env":    "TAG=9\nMODE=fast\n",
		"web.env": "FROM_FILE=1\n",
		"compose.yaml": `
x-limits: &limits
  mem_limit: 64m
  cpus: 0.5
services:
  web:
    <<: *limits
    image: docker.io/library/nginx:${TAG}
    command: nginx -g "daemon off;"
    env_file: web.env
    environment: {MODE: "${MODE}", TEXT: "{{.Node}}", PASSWORD: "$DB_PASSWORD"}
    ports: ["8080:80", {target: 9000, name: metrics, protocol: tcp}]
    volumes: ["./conf:/etc/conf:ro", "data:/var/lib/web", "logs:/logs", "/scratch"]
    healthcheck: {test: curl -f localhost, interval: 5s, timeout: 1s, retries: 10, start_period: 10s}
    depends_on:
      db: {condition: service_healthy}
      job: {condition: service_completed_successfully}
    stop_signal: SIGQUIT
    stop_grace_period: 3s
    hostname: www
    labels: {a: b}
    restart: "no"
  db:
    image: go:example.com/db
    entrypoint: ["/db"]
    healthcheck: {test: ["CMD", "/db", "ping"]}
    deploy: {resources: {limits: {memory: 1G, cpus: "2"}}}
    volumes: ["logs:/logs"]
  job:
    image: host:/bin/true
  extra:
    image: host:/bin/true
    profiles: [more]
volumes: {data: {}, logs: {}}
`})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	by := map[string]Service{}
	for _, s := range p.Services {
		names = append(names, s.Name)
		by[s.Name] = s
	}
	if want := []string{"db", "job", "web"}; !reflect.DeepEqual(names, want) {
		t.Fatalf("services %v, want %v", names, want)
	}
	web, db := by["web"], by["db"]
	env := map[string]string{}
	for k, v := range web.Def.Env {
		env[k] = v.String()
	}
	check := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	check("image", web.Def.Image.String(), "docker.io/library/nginx:1.27")
	check("args", texts(web.Def.Args), []string{"nginx", "-g", "daemon off;"})
	check("command", texts(db.Def.Command), []string{"/db"})
	check("env", env, map[string]string{"FROM_FILE": "1", "MODE": "fast", "TEXT": "{{.Node}}", "PASSWORD": "hunter2"})
	check("ports", web.Def.Ports, map[string]int{"metrics": 9000})
	check("data", web.Def.Data, "/var/lib/web")
	check("binds", web.Binds, []Bind{
		{Source: filepath.Join(dir, "conf"), Target: "/etc/conf", ReadOnly: true},
		{Volume: "logs", Target: "/logs"},
		{Volume: "web-3", Target: "/scratch"},
	})
	check("health", texts(web.Def.Ready.Exec), []string{"/bin/sh", "-c", "curl -f localhost"})
	check("patience", web.Def.Ready.Within, 70*time.Second)
	check("health of db", texts(db.Def.Ready.Exec), []string{"/db", "ping"})
	check("memory", [2]int64{web.Def.Memory, db.Def.Memory}, [2]int64{64 << 20, 1 << 30})
	check("cpu", [2]float64{web.Def.CPU, db.Def.CPU}, [2]float64{0.5, 2})
	check("stop", web.Def.Stop, catalogue.Stop{Signal: syscall.SIGQUIT, Grace: 3 * time.Second})
	check("aliases", web.Aliases, []string{"www"})
	check("after", web.After, []Dependency{{"db", Ready}, {"job", Completed}})
	check("base", web.Def.Base, dir)
	check("used", p.Used, map[string]string{"TAG": "1.27", "MODE": "fast", "DB_PASSWORD": "hunter2"})
	check("probe of job", by["job"].Def.Ready, (*catalogue.Probe)(nil))
}

func TestPortIsProbed(t *testing.T) {
	p, _, err := load(t, nil, map[string]string{"compose.yaml": "services: {a: {image: x, ports: ['53:53/udp', '80']}}"})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Services[0].Def.Ready; got == nil || got.TCP == nil || got.TCP.Number != 80 {
		t.Errorf("readiness %+v, want TCP on port 80", got)
	}
}

func TestWhatIsNot(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"build":        {"services: {a: {build: .}}", "services.a.build: not honoured\nhint: build the image before"},
		"restart":      {"services: {a: {image: x, restart: always}}", `services.a.restart: "always" is not honoured` + "\nhint: leave it out: a service that ends stays down"},
		"privileged":   {"services: {a: {image: x, privileged: true}}", "services.a.privileged: not honoured"},
		"two":          {"services: {a: {image: x, cap_add: [ALL], sysctls: {a: 1}}}", "services.a.cap_add: not honoured\nhint: leave it out: containers run with the usual restrictions\nservices.a.sysctls: not honoured"},
		"networks":     {"services: {a: {image: x, networks: [back]}}\nnetworks: {back: {}}", "services.a.networks: not honoured\nhint: leave it out: all nodes share one network"},
		"replicas":     {"services: {a: {image: x, deploy: {replicas: 3}}}", "services.a.deploy.replicas: not honoured\nhint: name each copy"},
		"tmpfs":        {"services: {a: {image: x, volumes: [{type: tmpfs, target: /x}]}}", `services.a.volumes.[].type: "tmpfs" is not honoured`},
		"driver":       {"services: {a: {image: x, volumes: ['v:/x']}}\nvolumes: {v: {driver: nfs}}", `volumes.v.driver: "nfs" is not honoured`},
		"no image":     {"services: {a: {command: x}}", "neither an image nor a build"},
		"typing error": {"services: {a: {image: x, comand: y}}", "comand"},
		"no service":   {"services: {a: {image: x, profiles: [p]}}", "holds no service\nhint: "},
		"health":       {"services: {a: {image: x, healthcheck: {test: [curl]}}}", "healthcheck.test must start"},
		"signal":       {"services: {a: {image: x, stop_signal: SIGFOO}}", `services.a.stop_signal: "SIGFOO" is no signal`},
		"cycle":        {"services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [a]}}", "cycle"},
		"unknown":      {"services: {a: {image: x, depends_on: [b]}}", "undefined service"},
		"no YAML":      {"services: [", "compose.yaml: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, dir, err := load(t, nil, map[string]string{"compose.yaml": c.text})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), dir) {
				t.Errorf("%v: holds the folder's path", err)
			}
		})
	}
	if _, err := Load(t.Context(), "none.yaml", nil); err == nil || !strings.Contains(err.Error(), "none.yaml: there is no such Compose file") {
		t.Errorf("no file: got %v", err)
	}
}
