// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A victim in Java: eight threads that wait for the ping, and the first that reads it. Offsets: see
// victim.h.
import java.io.RandomAccessFile;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.CyclicBarrier;

public class Sleeper {
	static final int READY = 0, PING = 4, N_THREADS = 8, TID = 108, PONG = 112, WORKERS = 8;

	public static void main(String[] args) throws Exception {
		RandomAccessFile file = new RandomAccessFile("/proc/self/fd/3", "rw");
		MappedByteBuffer page = file.getChannel().map(FileChannel.MapMode.READ_WRITE, 0, 16384);
		CyclicBarrier turn = new CyclicBarrier(WORKERS + 1), answer = new CyclicBarrier(WORKERS + 1);

		page.order(ByteOrder.nativeOrder());
		for (int i = 0; i < WORKERS; i++) {
			Thread t = new Thread(() -> {
				try {
					for (;;) {
						turn.await();
						answer.await();
					}
				} catch (Exception e) {
					System.exit(1);
				}
			});
			t.setDaemon(true);
			t.start();
		}
		page.putInt(N_THREADS, 1);
		page.putInt(PING, 1);
		page.putInt(TID, (int) ProcessHandle.current().pid());
		page.putInt(PONG, 1);
		page.putInt(READY, 1);
		for (int round = 2; System.in.read() >= 0; round++) {
			turn.await();
			answer.await();
			page.putInt(PONG, round);
		}
	}
}
