// Makes static/samples anew: `node tests/support/make-samples.ts`. Text and drawing are ours.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { makePdf } from './make-files.ts';

const folder = path.resolve(import.meta.dirname, '../../static/samples');

const handbook = [
	`# The Lighthouse Handbook

Welcome to Grey Point. The tower is thirty-one metres high and has two hundred and four steps. Nobody has ever counted them only once.

The lamp is lit a quarter of an hour before sunset and put out a quarter of an hour after sunrise. It turns once in twelve seconds and shows two white flashes; no other light on this coast does, so a ship's captain who counts to twelve knows where she is.

This handbook has five short chapters. Keep it dry, and add what you learn in pencil at the end.`,
	`# Lighting the lamp

Draw the curtains back before the sun reaches the lens: a lens of this size is a burning glass, and has set fire to a keeper's coat before now.

Trim the wick level, open the vents, and warm the mantle for four minutes. Then turn the clockwork, thirty-two turns of the crank, which lasts until midnight. Whoever has the middle watch turns it again.

Clean the lens every Monday with spirit and a chamois cloth, from the top to the bottom. Never with sand, whatever your grandfather told you.`,
	`# Fog

When the island of Tern can no longer be seen from the gallery, the fog bell is rung: three strokes, a pause of half a minute, three strokes again.

Fog comes most often in May, when warm air lies over cold water, and it comes from the south-west. It smells of seaweed before it can be seen. The longest fog in our log lasted eighty-one hours; two keepers rang by turns and were rewarded with a barrel of oranges.`,
	`# Storms

A falling barometer and swallows flying low give you half a day. Bring in the goat, close the shutters on the weather side, and fill the water jars: after a storm the well tastes of salt for a week.

Stay out of the lantern room when lightning is near. The conductor runs down the north wall and ends in the sea; it has been struck nineteen times and has never failed.`,
	`# The garden

Behind the wall on the lee side grow potatoes, kale, leeks and one stubborn pear tree. Seaweed, washed by rain for a winter, is the best manure there is. Plant the potatoes when the sea pinks open, and not by the calendar.

The goat is called Admiral. She eats kale, laundry and, once, the second volume of the log.`,
	`# Visitors and letters

The supply boat comes every second Thursday if the swell allows it. Send your letters in oilcloth, and your list of needs in capital letters, because the grocer's spectacles are no better than they were.

Visitors are welcome to climb the tower in daylight, two at a time. Show them the lens, the clockwork and the view; on a clear day in October one sees the mountains of the mainland, a hundred kilometres away, with snow on them.`
];

const birds = `---
title: Field notes on winter birds
place: the salt marsh below the village
---

# Field notes on winter birds

Kept from November to March, mostly before breakfast. Counts are of birds seen, not of birds guessed.

## Getting there

The path begins behind the **boathouse** and follows the dyke for two kilometres. Rubber boots are needed after the
second gate. The hide has a bench for four people and a roof that leaks over the third.

## November

The first *brent geese* arrived on the 4th, forty-one of them, talking all the while. A kingfisher sat on the sluice for
an hour and caught five sticklebacks.

| bird | 4 Nov | 18 Nov | 30 Nov |
| --- | ---: | ---: | ---: |
| brent goose | 41 | 312 | 890 |
| curlew | 12 | 17 | 15 |
| teal | 60 | 140 | 155 |

## January

Ice along the edges. A short-eared owl hunted over the reeds at noon, which they do when the voles stay in. The wren in
the hide has found out how to open the biscuit tin.

> A robin followed us the whole way back, as if it were seeing us home.

## What to bring next time

- a thermos that closes properly
- the telescope, and a cloth for its lens
- biscuits in a tin that a wren cannot open

## How to tell them apart

1. A **curlew** has a long bill that curves down; a **whimbrel** is smaller and has a striped head.
2. A **marsh harrier** glides with its wings held in a shallow V.
3. If it is small, brown and furious, it is the wren.
`;

const picture = `<svg xmlns="http://www.w3.org/2000/svg" width="1600" height="1067" viewBox="0 0 1600 1067">
<defs>
<linearGradient id="sky" x2="0" y2="1"><stop offset="0" stop-color="#1d2b4f"/><stop offset=".55" stop-color="#7a5a78"/><stop offset=".8" stop-color="#e58a63"/><stop offset="1" stop-color="#f6c58a"/></linearGradient>
<linearGradient id="sea" x2="0" y2="1"><stop offset="0" stop-color="#c77d63"/><stop offset=".25" stop-color="#5b5a78"/><stop offset="1" stop-color="#141c33"/></linearGradient>
<radialGradient id="glow"><stop offset="0" stop-color="#fff6d8"/><stop offset=".25" stop-color="#ffe9a8" stop-opacity=".7"/><stop offset="1" stop-color="#ffe9a8" stop-opacity="0"/></radialGradient>
<linearGradient id="beam"><stop offset="0" stop-color="#fff3c4" stop-opacity=".75"/><stop offset="1" stop-color="#fff3c4" stop-opacity="0"/></linearGradient>
</defs>
<rect width="1600" height="720" fill="url(#sky)"/>
<circle cx="1130" cy="655" r="62" fill="#ffe3b0"/>
<rect y="690" width="1600" height="377" fill="url(#sea)"/>
${Array.from({ length: 40 }, (_, i) => `<path d="M${1130 - 20 - ((i * 37) % 150)} ${700 + i * 9}h${40 + ((i * 53) % 240)}" stroke="#ffd9a0" stroke-width="3" opacity="${(0.7 - i * 0.016).toFixed(2)}"/>`).join('')}
${Array.from({ length: 60 }, (_, i) => `<circle cx="${(i * 271) % 1600}" cy="${(i * 97) % 330}" r="${1 + (i % 3) * 0.6}" fill="#fff" opacity="${0.25 + (i % 5) * 0.12}"/>`).join('')}
<path d="M0 742c90-60 210-95 330-88 90 5 150 44 240 60l60 40H0z" fill="#1a2038"/>
<path d="M0 790c140-40 380-50 640-26l40 30c-220 10-420 30-680 90z" fill="#10152a"/>
<path d="M388 300l640-120v150z" fill="url(#beam)"/>
<path d="M335 680l22-360h38l22 360z" fill="#efe6d8"/><path d="M341 590l5-80h60l5 80zM351 430l5-75h40l5 75z" fill="#c4442f"/>
<rect x="350" y="276" width="52" height="46" rx="4" fill="#242b45"/><rect x="357" y="284" width="38" height="30" fill="#fff3c4"/><path d="M346 276l30-30 30 30z" fill="#c4442f"/>
<circle cx="376" cy="299" r="150" fill="url(#glow)"/>
<g fill="#141a30"><path d="M980 800h190l-30 42h-130z"/><path d="M1070 800V650l70 130z" fill="#e9dccb"/><path d="M1060 800V680l-52 105z" fill="#d8c6b2"/><path d="M1320 850h120l-20 28h-82z"/><path d="M1376 850v-92l46 82z" fill="#e2d2c0"/></g>
</svg>`;

await mkdir(folder, { recursive: true });
await writeFile(
	path.join(folder, 'lighthouse-handbook.pdf'),
	makePdf(handbook, { title: 'The Lighthouse Handbook', hasHeadings: true })
);
await writeFile(path.join(folder, 'winter-birds.md'), birds);
await sharp(Buffer.from(picture))
	.withExif({
		IFD0: { ImageDescription: 'Sailing boats below the lighthouse of Grey Point at dusk', Artist: 'Asura' }
	})
	.jpeg({ quality: 90 })
	.toFile(path.join(folder, 'harbour-at-dusk.jpg'));
