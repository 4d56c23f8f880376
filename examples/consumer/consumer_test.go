package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAnswers(t *testing.T) {
	producer := httptest.NewServer(handler("producer", ""))
	defer producer.Close()
	consumer := httptest.NewServer(handler("consumer", producer.URL+"/"))
	defer consumer.Close()
	lost := httptest.NewServer(handler("consumer", producer.URL+"/fail"))
	defer lost.Close()
	for url, want := range map[string]struct {
		status int
		body   string
	}{
		consumer.URL + "/":            {200, `{"from":"consumer","upstream":{"from":"producer"}}`},
		consumer.URL + "/healthz":     {200, "ok"},
		consumer.URL + "/fail":        {500, "as was asked for"},
		consumer.URL + "/slow?by=1ms": {200, `{"from":"consumer"}`},
		consumer.URL + "/slow?by=x":   {400, `time: invalid duration "x"`},
		lost.URL + "/":                {502, producer.URL + "/fail answered 500 Internal Server Error"},
	} {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := strings.TrimSpace(string(body)); resp.StatusCode != want.status || got != want.body {
			t.Errorf("%s: %d %s, want %d %s", url, resp.StatusCode, got, want.status, want.body)
		}
	}
}
