Feature: What a steady state tells

  Background:
    Given the service "consumer":
      """
      name: consumer
      image: "go:brine.test/brine/examples/consumer"
      args: ["--upstream=http://producer:8080/"]
      ports: {http: 8080}
      ready: {http: {port: http, path: /healthz, status: 200}}
      """
    And the service "producer":
      """
      name: producer
      image: "go:brine.test/brine/examples/consumer"
      ports: {http: 8080}
      ready: {http: {port: http, path: /healthz, status: 200}}
      """
    And a cluster:
      | node     | services |
      | consumer | consumer |
      | producer | producer |

  Scenario: harm that is felt
    When 10 requests per second are sent to "http://consumer:8080/" continuously
    And I wait 2s
    Given the steady state "stays fast":
      """
      the p99 latency of HTTP requests to consumer over the last 3s is below 300ms
      """
    When packets from producer to consumer are delayed by 400ms for 3s

  Scenario: nothing to judge
    Given the steady state "stays fast":
      """
      the p99 latency of HTTP requests to consumer over the last 2m is below 300ms
      """
