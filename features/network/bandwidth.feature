@alone
Feature: Links are narrow, or go up and down

  Background:
    Given a 2-node cluster running kv

  Scenario: A stream takes as long as its bytes
    When bandwidth from node1 to node2 is limited to 1 Mbit/s
    And I run "/kv push --kib=64 node2" on node1
    Then its output matches "back in [5-8][0-9][0-9]ms"
    When the bandwidth limit from node1 to node2 ends
    And I run "/kv push --kib=64 node2" on node1
    Then its output matches "back in [0-9]?[0-9](\.[0-9]+)?ms"

  Scenario: What the queue cannot hold is dropped
    When bandwidth to node2 is limited to 1 Mbit/s and a queue of 8 packets
    And I run "/kv ping --count=100 --size=1200 --every=10us node2" on node1
    Then its output matches "^100 sent, ([6-9]|[1-3][0-9]) back"

  Scenario: A link that flaps
    When the link between node1 and node2 flaps every 200ms
    And I run "/kv ping --count=80 --every=10ms node2" on node1
    Then its output matches "([2-6][0-9]) lost in [1-8] runs"
    When the flapping between node1 and node2 ends
    And I run "/kv ping --count=20 node2" on node1
    Then its output contains "20 back"
