@alone
Feature: Connections are reset, hang, or cannot be opened

  Background:
    Given a 2-node cluster running kv
    When I POST "http://node1:8080/held/node2"
    Then the response status is 200

  Scenario: A reset ends what is open
    When I GET "http://node1:8080/held/node2"
    Then the response status is 200
    When connections between node1 and node2 are reset
    And I GET "http://node1:8080/held/node2"
    Then the response status is 503
    And the response body contains "reset by peer"
    When I POST "http://node1:8080/held/node2"
    And I GET "http://node1:8080/held/node2"
    Then the response status is 200

  Scenario: A reset over IPv6, by port
    When I POST "http://node1:8080/held/node2?family=6"
    And I GET "http://node1:8080/held/node2"
    Then the response status is 200
    When connections to node2 on port 8081 are reset
    And I GET "http://node1:8080/held/node2"
    Then the response status is 503

  Scenario: No new connections, while those that are open live
    When node1 cannot open new connections to node2
    And I run "/kv push --kib=1 --wait=400ms node2" on node1
    Then the command fails
    And its error output contains "timeout"
    When I GET "http://node1:8080/held/node2"
    Then the response status is 200
    When I run "/kv push --kib=1 node1" on node2
    Then the command succeeds
    When I run "/kv ping --count=10 node2" on node1
    Then its output contains "10 back"
    When the network heals
    And I run "/kv push --kib=1 node2" on node1
    Then the command succeeds

  Scenario: Those that are open hang, and resume
    When existing connections between node1 and node2 hang
    And I GET "http://node1:8080/held/node2?for=200ms"
    Then the response status is 504
    When I run "/kv push --kib=1 node2" on node1
    Then the command succeeds
    When existing connections between node1 and node2 resume
    And I GET "http://node1:8080/held/node2?for=3s" with a time-out of 4s
    Then the response status is 200

  Scenario: A cut hits what is open, over IPv6 too
    When I POST "http://node1:8080/held/node2?family=6"
    And node2 is isolated
    And I GET "http://node1:8080/held/node2?for=200ms"
    Then the response status is 504
    When I run "/kv ping --count=10 --family=6 node2" on node1
    Then its output contains "10 lost"
    When node2 rejoins
    And I GET "http://node1:8080/held/node2?for=3s" with a time-out of 4s
    Then the response status is 200
