@alone
Feature: Which links, and for how long

  Background:
    Given a 3-node cluster running kv
    And zone az1 has node1
    And zone az2 has node2 and node3

  Scenario: The clients' links, and their names
    When packets between the clients and node2 are delayed by 50ms
    And I GET "http://node2:8080/healthz"
    Then the response took at least 200ms
    When I GET "http://node1:8080/healthz"
    Then the response took at most 150ms
    When name resolution fails on the clients
    And I GET "http://node1:8080/healthz"
    Then the request fails
    When the network heals
    And I GET "http://node2:8080/healthz"
    Then the response took at most 150ms

  Scenario: Between zones, and ended on one link alone
    When packets between zone az1 and zone az2 are delayed by 40ms
    And I run "/kv ping node3" on node2
    Then its output matches "ms: [0-9]\.[0-9] least"
    When I run "/kv ping node3" on node1
    Then its output matches "ms: (8|9)[0-9]\.[0-9] least"
    When the delay between node1 and node2 ends
    And I run "/kv ping node2" on node1
    Then its output matches "ms: [0-9]\.[0-9] least"
    When I run "/kv ping node3" on node1
    Then its output matches "ms: (8|9)[0-9]\.[0-9] least"
    When the links between node1 and node3 heal
    And I run "/kv ping node3" on node1
    Then its output matches "ms: [0-9]\.[0-9] least"

  Scenario: Each for a while
    When 50% of packets to node1 are duplicated for 100ms
    And 50% of packets from node1 are reordered for 100ms
    And packets from the clients and node2 to node1 are delayed by 5ms ± 1ms for 100ms
    And bandwidth from node1 is limited to 1 Mbit/s for 100ms
    And existing connections between node1 and node2 hang for 100ms
    And 50% of packets between all nodes are lost for 200ms
    And 50% of packets to node1 are corrupted for 300ms
    And the link between node1 and the other nodes flaps every 100ms for 300ms
    And the network is split into "node1" and "node2, node3" for 300ms
    And I run "/kv ping --count=20 node1" on node2
    Then its output matches "20 back, 0 lost .* 0 changed, 0 twice, 0 out of order"
    And a write to each node succeeds within 5s

  Scenario: A delay that waits for its moment
    When when the log of node1 contains "put moment", packets from node1 to node2 are delayed by 80ms
    And I run "/kv ping node2" on node1
    Then its output matches "ms: [0-9]\.[0-9] least"
    When "v1" is written to "moment" on node1
    And I wait 100ms
    And I run "/kv ping node2" on node1
    Then its output matches "ms: (8|9)[0-9]\.[0-9] least"

  Scenario: A rate that all links of a node share
    When bandwidth from node1 is limited to 1 Mbit/s and a queue of 4 packets
    And I run "/kv ping --count=60 --size=1200 --every=10us node2" on node1
    Then its output matches "^60 sent, [1-9]?[0-9] back"
    And node1 sent at least 60 UDP packets to node2
    And node1 sent no UDP packets to node3
    And at most 30 UDP packets from node1 reached node2
