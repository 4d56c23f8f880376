Feature: Building

  Scenario: A cluster of nodes that run the same service
    Given a 3-node cluster running kv
    Then all nodes are ready
    And the cluster is healthy
    When I run "/kv status" on node2
    Then its output contains """name"":""node2"""

  Scenario: A second cluster beside the first
    Given a 2-node cluster running kv
    And a 1-node cluster running kv named "db"
    When I GET "http://db1:8080/status" from node1
    Then the response JSON at "name" is "db1"
    When I GET "http://node2:8080/status" from db1
    Then the response JSON at "name" is "node2"

  Scenario: Any topology
    Given a cluster:
      | node | zone | services | memory | cpu |
      | a    | az1  | kv       | 64 MiB | 0.5 |
      | b    | az1  | kv       |        |     |
      | c    | az2  | kv       |        |     |
    When zone az2 is isolated from the other zones
    Then a write to b succeeds
    And a write to c fails
    And a stale read of "k" from c returns nothing

  Scenario: Nodes are put into zones
    Given a 3-node cluster running kv
    And zone az1 has node1
    And zone az2 has the other nodes
    When zone az1 is isolated
    Then a read from zone az1 times out
    And zone az2 is ready

  Scenario: Services defined in place
    Given a cluster running:
      """
      name: hello
      image: "go:brine.test/brine/examples/kv"
      ports: {http: 8080}
      ready: {tcp: http, within: 10s}
      """
    When I GET "http://node1:8080/healthz"
    Then the response body contains "ok"

  Scenario: A service of this scenario alone
    Given the service "hello":
      """
      image: "go:brine.test/brine/examples/kv"
      args: [serve, "--name={{.Node.Name}} of {{len .Nodes}}"]
      ports: {http: 8080}
      ready: {log: "listens on", within: 10s}
      """
    And a 2-node cluster running hello
    When I GET "http://node2:8080/status"
    Then the response JSON at "name" is "node2 of 2"

  Scenario: One more node, running an image
    Given a 1-node cluster running kv
    And a node "client" running the image "go:brine.test/brine/examples/kv"
    When I GET "http://node1:8080/healthz" from client within 5s
    Then the response status is 200

  Scenario: A node joins a running cluster
    Given a 2-node cluster running kv
    And "v1" is written to "k" on node1
    When node3 joins, running kv
    Then a stale read of "k" from node3 returns "v1" within 5s
    And all nodes agree on "k"

  Scenario: A node has another name
    Given a 2-node cluster running kv
    And node1 is also known as "mydomain.com"
    When I GET "http://mydomain.com:8080/status"
    Then the response JSON at "name" is "node1"
    When I GET "http://mydomain.com:8080/status" from node2
    Then the response status is 200

  Scenario: The way out is open only when it is asked for
    Given internet access is allowed
    And a 1-node cluster running kv
    Then node1 is ready
