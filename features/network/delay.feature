@alone
Feature: Packets are late

  Background:
    Given a 2-node cluster running kv

  Scenario: One way; a new connection needs two of them
    When packets from node1 to node2 are delayed by 100ms
    And I GET "http://node2:8080/healthz" from node1
    Then the response took at least 200ms
    And the response took at most 400ms
    When I run "/kv ping --count=20 --family=6 node2" on node1
    Then its output matches "ms: 1[0-4][0-9]\.[0-9] least"
    When the delay from node1 to node2 ends
    And I GET "http://node2:8080/healthz" from node1
    Then the response took at most 100ms

  Scenario: A connection that is open
    When I POST "http://node1:8080/held/node2"
    Then the response status is 200
    When packets between node1 and node2 are delayed by 60ms
    And I GET "http://node1:8080/held/node2"
    Then the response took at least 120ms
    And the response took at most 300ms

  Scenario Outline: With jitter, <spread>
    When packets from node1 to node2 are delayed by 50ms ± 20ms with a <spread> distribution
    And I run "/kv ping --count=20 --every=40ms node2" on node1
    Then its output matches "ms: <least>\.[0-9] least, .* <most>\.[0-9] most"

    Examples:
      | spread  | least          | most                            |
      | uniform | [34][0-9]      | (5[2-9]\|[6-9][0-9]\|[0-9]{3}) |
      | normal  | [0-4]?[0-9]    | (5[2-9]\|[6-9][0-9]\|[0-9]{3}) |
      | pareto  | (3[89]\|4[0-9]) | [0-9]{2,3}                      |

  Scenario: Two delays on one link add up, and loss beside them
    When packets from node1 to node2 are delayed by 60ms
    And packets between all nodes are delayed by 40ms
    And 50% of packets from node1 to node2 are lost
    And I run "/kv ping --count=200 node2" on node1
    Then its output matches "^200 sent, ([6-9]|1[0-3])[0-9] back.*ms: 14[0-9]\.[0-9] least"
    When the delay from node1 to node2 ends
    And I run "/kv ping --count=200 node2" on node1
    Then its output matches "^200 sent, ([6-9]|1[0-3])[0-9] back.*ms: 8[0-9]\.[0-9] least"
    When the link between node1 and node2 heals
    And I run "/kv ping --count=100 node2" on node1
    Then its output matches "^100 sent, 100 back.*ms: [0-9]\.[0-9] least"

  Scenario: For a while, of one protocol
    When UDP packets between node1 and node2 are delayed by 200ms for the next 10s
    And I GET "http://node2:8080/healthz" from node1
    Then the response took at most 100ms
    When I run "/kv ping --count=1 --wait=1s node2" on node1
    Then its output matches "ms: 4[0-9][0-9]\.[0-9] least"
