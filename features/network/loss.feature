@alone
Feature: Packets are lost

  Background:
    Given a 2-node cluster running kv

  Scenario: Half of them, over IPv4 and IPv6
    When 50% of packets from node1 to node2 are lost
    And I run "/kv ping --count=400 --family=4 node2" on node1
    Then its output matches "^400 sent, (1[5-9]|2[0-4])[0-9] back"
    When I run "/kv ping --count=400 --family=6 node2" on node1
    Then its output matches "^400 sent, (1[5-9]|2[0-4])[0-9] back"
    When the loss from node1 to node2 ends
    And I run "/kv ping --count=100 node2" on node1
    Then its output contains "100 sent, 100 back"

  Scenario: In bursts
    When 20% of packets between node1 and node2 are lost in bursts of 20
    And I run "/kv ping --count=1000 --every=500us node2" on node1
    Then its output matches "[1-9][0-9]* lost in [1-4]?[0-9] runs"

  Scenario: Of one protocol, to one port, by everyone
    When 100% of UDP packets to node2 on port 8081 are lost
    And I run "/kv ping --count=20 node2" on node1
    Then its output contains "20 lost"
    When I run "/kv push --kib=16 node2" on node1
    Then the command succeeds
    When I run "/kv ping --count=20 node1" on node2
    Then its output contains "0 lost"

  Scenario: A connection that is open goes on through loss, after a while
    When I POST "http://node1:8080/held/node2"
    Then the response status is 200
    When 100% of packets between node1 and node2 are lost for the next 600ms
    And I GET "http://node1:8080/held/node2?for=200ms"
    Then the response status is 504
    When I GET "http://node1:8080/held/node2?for=3s" with a time-out of 4s
    Then the response status is 200

  Scenario: Two losses on one link add up
    When 50% of UDP packets from node1 to node2 are lost
    And 50% of packets between all nodes are lost
    And I run "/kv ping --count=400 node2" on node1
    Then its output matches "^400 sent, ([2-7][0-9]) back"
    When the loss between all nodes ends
    And I run "/kv ping --count=400 node2" on node1
    Then its output matches "^400 sent, (1[5-9]|2[0-4])[0-9] back"
