// Ends the thread it runs in, as a fault of a parser would: for the harness.
import { serve } from './serve.ts';

export default serve<null, never, never>(async () => process.exit(1));
