Feature: The load program of an experiment is installed

  Scenario: it runs from the clients' network, where the node's other name resolves
    Given the service "consumer":
      """
      name: consumer
      image: "go:brine.test/brine/examples/consumer"
      ports: {http: 8080}
      ready: {http: {port: http, path: /healthz, status: 200}}
      """
    And a 1-node cluster running consumer
    And node1 is also known as "mydomain.com"
    When the Chaos Toolkit experiment "installed.json" runs
    Then the throughput of HTTP requests to consumer on path "/consumer" is above 1 request per second
