@alone
Feature: Packets are corrupted, duplicated, reordered

  Background:
    Given a 2-node cluster running kv

  Scenario: Corrupted packets are dropped by the receiver
    When 30% of packets from node1 to node2 are corrupted
    And I run "/kv ping --count=400 node2" on node1
    Then its output matches "(8|9|1[0-6])[0-9] lost .* 0 changed"
    When I run "/kv ping --count=400 --family=6 node2" on node1
    Then its output matches "(8|9|1[0-6])[0-9] lost .* 0 changed"
    When I run "/kv push --kib=8 node2" on node1
    Then the command succeeds

  Scenario: Undetected, the program gets other data
    When 30% of packets from node1 to node2 are corrupted undetected
    And I run "/kv ping --count=400 --family=4 node2" on node1
    Then its output matches " 0 lost .* (8|9|1[0-6])[0-9] changed"
    When I run "/kv ping --count=400 --family=6 node2" on node1
    Then its output matches " 0 lost .* (8|9|1[0-6])[0-9] changed"
    When I run "/kv push --kib=256 node2" on node1
    Then its error output contains "other bytes came back"

  Scenario: Some arrive twice
    When 50% of packets from node1 to node2 are duplicated
    And I run "/kv ping --count=400 node2" on node1
    Then its output matches " 0 lost .* (1[5-9]|2[0-4])[0-9] twice"
    When I run "/kv push --kib=256 node2" on node1
    Then the command succeeds
    When the duplication from node1 to node2 ends
    And I run "/kv ping --count=100 node2" on node1
    Then its output contains " 0 twice"

  Scenario: Some are overtaken
    When 30% of packets from node1 to node2 are reordered
    And I run "/kv ping --count=300 node2" on node1
    Then its output matches " 0 lost .* (5|6|7|8|9|1[0-2])[0-9] out of order"
    When the reordering ends
    And I run "/kv ping --count=100 node2" on node1
    Then its output contains " 0 out of order"
