@alone
Feature: Packets are counted and captured

  Background:
    Given a 3-node cluster running kv

  Scenario: What was sent, and what arrived
    Then node2 sent at least 10 packets to node1 within 5s
    And at least 10 TCP packets from node2 reached node1 on port http within 5s
    And node2 sent no packets to node3
    And no packets from node2 reached node3 for 200ms
    And node1 sent no UDP packets to node2

  Scenario: While a harm was on
    When node2 is isolated for 600ms
    Then no packets from node2 reached node1 while node2 was isolated
    And node2 sent at least 1 packet to node1 while node2 was isolated
    And at least 10 packets from node3 reached node1 while node2 was isolated
    And at least 10 packets from node2 reached node1 within 5s

  Scenario: While some other harm was on
    When node3 is killed
    And 100% of TCP packets from node1 to node2 are lost for 300ms
    And node3 is started again
    Then no TCP packets from node1 reached node2 while 100% of TCP packets from node1 to node2 were lost
    And node3 sent at most 5 packets to node1 while node3 was killed

  Scenario: Captured, with what a harm took
    When packets of node1 and node2 are captured
    And 50% of UDP packets from node1 to node2 are lost
    And I run "/kv ping --count=100 node2" on node1
    Then node1 sent exactly 100 UDP packets to node2
    And at least 20 UDP packets from node1 reached node2

  @strict-faults
  Scenario: Every harm must be felt
    When I POST "http://node1:8080/held/node2"
    Then the response status is 200
    When connections between node1 and node2 are reset
    And node2 is isolated
    And I GET "http://node2:8080/healthz" with a time-out of 200ms
    Then the request times out
    When node2 rejoins
    And packets between node1 and node2 are delayed by 10ms
    And I GET "http://node2:8080/healthz" from node1
    Then the response status is 200
    When name resolution fails on node2
    And I run "/kv lookup node1" on node2
    Then the command fails
