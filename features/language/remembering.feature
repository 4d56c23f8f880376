Feature: Waiting and remembering

  Background:
    Given a 3-node cluster running kv

  Scenario: A value of an answer
    When I GET "http://node2:8080/status"
    And the response JSON at "name" is remembered as "WHO"
    And I GET "http://${WHO}:8080/status"
    Then the response JSON at "name" is "${WHO}"
    When "${WHO} was here" is written to "k" on node1
    Then a read of "k" from node1 returns "node2 was here"

  Scenario: Whom a selector stood for
    Given the leader is remembered as "L"
    And a follower is remembered as "F"
    When F becomes the leader
    Then F is the leader
    When L is isolated
    Then a read from L times out

  Scenario: Time passes
    When node2 is paused for the next 200ms
    And I wait 400ms
    Then node2 is ready
