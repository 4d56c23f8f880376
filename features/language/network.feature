Feature: Harming the network

  Background:
    Given a 3-node cluster running kv

  Scenario: An isolated node is reached by nobody
    When node2 is isolated
    Then a read from node2 times out
    And a write to node1 succeeds
    When I GET "http://node2:8080/healthz" from node1 with a time-out of 300ms
    Then the request times out
    When node2 rejoins
    Then a read from node2 succeeds within 5s

  Scenario: Several nodes, for a while
    When node2 and node3 are isolated for 500ms
    Then all nodes are ready within 5s

  Scenario: Isolated from the other nodes, but not from the clients
    When node2 is isolated from the other nodes
    Then a stale read of "k" from node2 returns nothing
    And a write to node2 fails
    When the isolated node rejoins
    Then a write to node2 succeeds within 5s

  Scenario: Isolated from one node alone
    When node3 is isolated from node1
    Then a write to node3 fails
    And a write to node2 succeeds
    When I GET "http://node3:8080/healthz" from node2
    Then the response status is 200

  Scenario: Isolated from the clients alone
    When node2 is isolated from the clients
    Then a read from node2 times out
    When I GET "http://node2:8080/healthz" from node1
    Then the response status is 200

  Scenario: Who joins later is outside of an isolated zone, too
    Given zone az1 has node1 and node2
    When zone az1 is isolated
    And node4 joins, running kv
    And I GET "http://node1:8080/healthz" from node4 with a time-out of 300ms
    Then the request times out
    When I GET "http://node1:8080/healthz" from node2
    Then the response status is 200

  Scenario: Who rejoins does not reach those that are isolated still
    When node2 and node3 are isolated
    And node2 rejoins
    And I GET "http://node3:8080/healthz" from node2 with a time-out of 300ms
    Then the request times out
    When I GET "http://node1:8080/healthz" from node2
    Then the response status is 200

  Scenario: One way
    When node2 cannot reach node1
    Then a write to node2 fails
    And a write to node1 succeeds

  Scenario: One way, the other nodes named before the one that they are not
    When the other nodes cannot reach node3
    Then a write to node2 succeeds
    And a write to node3 fails

  Scenario: Both ways
    When node2 and node3 cannot reach each other for the next 1s
    And I GET "http://node3:8080/healthz" from node2 with a time-out of 300ms
    Then the request times out
    When I GET "http://node3:8080/healthz" from node2 with a time-out of 1s within 5s
    Then the response status is 200

  Scenario: Parts that are named
    When the network is split into "node1, node2" and "the other nodes"
    Then a write to node2 succeeds
    And a write to node3 fails
    When node3 rejoins
    Then a write to node3 succeeds within 5s

  Scenario: Parts that are chosen
    When the network is split into halves for 300ms
    And the network is split into a majority and a minority for 300ms
    Then a write to each node succeeds within 5s

  Scenario: The leader in the smaller part
    When the network is split with the leader in the minority
    Then a write to node1 succeeds
    And a write to the other nodes fails

  Scenario: A bridge
    When the network is split except through node1
    Then a write to node2 succeeds
    And a write to node3 succeeds
    When I GET "http://node3:8080/healthz" from node2 with a time-out of 300ms
    Then the request times out

  Scenario: A port
    When TCP traffic from node2 to node1 on port http is dropped
    Then a write to node2 fails
    And a write to node3 succeeds
    When the link between node1 and node2 heals
    Then a write to node2 succeeds within 5s

  Scenario: A port of a node, whoever asks
    When traffic to node2 on port 8080 is dropped for the next 1s
    Then a read from node2 times out
    And a read from node2 succeeds within 5s

  Scenario: Another protocol, another port
    When UDP traffic between all nodes is dropped
    And traffic to node2 on port 9 is dropped
    Then a write to node2 succeeds

  Scenario: Everything on a link heals
    When node1 and node2 cannot reach each other
    And TCP traffic from node2 to node1 on port 8080 is dropped
    And the links between node1 and node2 heal
    Then a write to node2 succeeds within 5s

  Scenario: The network heals
    When node2 is isolated
    And node1 cannot reach node3
    And the network heals
    Then a write to each node succeeds within 5s
