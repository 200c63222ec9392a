// Two subjects with a few passages each.
export const harbour = [
	'The quay wall of the northern basin was repaired in spring, and the quay wall held.',
	'Divers looked at the quay wall and found cracks below the water line.',
	'Costs of the quay wall were higher than planned by the harbour master.'
];
export const orchard = [
	'Apple trees in the upper orchard carry less fruit after the late frost.',
	'The late frost came in April; apple trees that stood in the valley suffered most.',
	'Against late frost, small fires between the apple trees were lit at night.'
];
