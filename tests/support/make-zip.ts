// A ZIP writer for tests, so that archives can also lie: deflated parts, a central directory, nothing else.
import { crc32, deflateRawSync } from 'node:zlib';

export type Part = {
	name: string;
	content: string | Buffer;
	/** The size that both headers claim, when it is not the true one. */
	claimedBytes?: number;
	isStored?: boolean;
};

export function makeZip(parts: readonly Part[]): Buffer {
	const pieces: Buffer[] = [];
	const directory: Buffer[] = [];
	let offset = 0;
	for (const part of parts) {
		const content = Buffer.from(part.content);
		const packed = part.isStored ? content : deflateRawSync(content);
		const name = Buffer.from(part.name);
		const common = Buffer.alloc(26);
		common.writeUInt16LE(20, 0);
		common.writeUInt16LE(0x800, 2);
		common.writeUInt16LE(part.isStored ? 0 : 8, 4);
		common.writeUInt32LE(0x21, 8);
		common.writeUInt32LE(crc32(content), 10);
		common.writeUInt32LE(packed.length, 14);
		common.writeUInt32LE(part.claimedBytes ?? content.length, 18);
		common.writeUInt16LE(name.length, 22);
		const central = Buffer.alloc(14);
		central.writeUInt32LE(offset, 10);
		directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, central, name);
		const local = [Buffer.from('PK\x03\x04', 'latin1'), common, name, packed];
		pieces.push(...local);
		offset += local.reduce((sum, piece) => sum + piece.length, 0);
	}
	const list = Buffer.concat(directory);
	const end = Buffer.alloc(22);
	end.write('PK\x05\x06', 'latin1');
	end.writeUInt16LE(parts.length, 8);
	end.writeUInt16LE(parts.length, 10);
	end.writeUInt32LE(list.length, 12);
	end.writeUInt32LE(offset, 16);
	return Buffer.concat([...pieces, list, end]);
}
