package penstock.access;

import java.io.BufferedReader;
import java.io.File;
import java.io.FileReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteOrder;
import org.apache.thrift.transport.TServerSocket;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransportException;

/**
 * A server socket on loopback that serves processes of its own user alone.
 *
 * <p>Linux names the owner of each end of a connection in /proc/net/tcp and tcp6:
 * https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
 */
public final class SameUserServerSocket extends TServerSocket {
    private static final String ESTABLISHED = "01";
    private final String owner;

    public SameUserServerSocket(InetSocketAddress address) throws TTransportException, IOException {
        super(address);
        this.owner = ownUser();
    }

    /** The next connection of this user's; any other is closed before a byte of it is read. */
    public TSocket accept() throws TTransportException {
        while (true) {
            TSocket accepted = super.accept();
            try {
                if (this.isOwn(accepted.getSocket())) {
                    return accepted;
                }
            } catch (IOException error) {
                // Closed below: who can't be looked up isn't served.
            }
            accepted.close();
        }
    }

    private boolean isOwn(Socket socket) throws IOException {
        String peer = address(socket.getInetAddress(), socket.getPort());
        String here = address(socket.getLocalAddress(), socket.getLocalPort());
        return this.isOwn("/proc/net/tcp", peer, here) || this.isOwn("/proc/net/tcp6", peer, here);
    }

    /** Whether a table has the connection, seen from its other end, as open and this user's. A closed one is nobody's. */
    private boolean isOwn(String table, String peer, String here) throws IOException {
        if (!new File(table).exists()) {
            return false;
        }
        BufferedReader lines = new BufferedReader(new FileReader(table));
        try {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] row = line.trim().split("\\s+");
                if (row.length > 7 && row[1].endsWith(peer) && row[2].endsWith(here)) {
                    return row[3].equals(ESTABLISHED) && row[7].equals(this.owner);
                }
            }
        } finally {
            lines.close();
        }
        return false;
    }

    /** An IPv4 address as the tables have it, at the end of an IPv6 one too: 127.0.0.1 is 0100007F on most machines. */
    private static String address(InetAddress host, int port) {
        byte[] parts = host.getAddress();
        boolean reversed = ByteOrder.nativeOrder().equals(ByteOrder.LITTLE_ENDIAN);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 4; i++) {
            text.append(hex(parts[reversed ? 3 - i : i] & 0xff, 2));
        }
        return text.append(':').append(hex(port, 4)).toString();
    }

    private static String hex(int number, int digits) {
        String text = "000" + Integer.toHexString(number).toUpperCase();
        return text.substring(text.length() - digits);
    }

    /** The effective user of this process, by its number. */
    private static String ownUser() throws IOException {
        BufferedReader lines = new BufferedReader(new FileReader("/proc/self/status"));
        try {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("Uid:")) {
                    return line.split("\\s+")[2];
                }
            }
        } finally {
            lines.close();
        }
        throw new IOException("no Uid in /proc/self/status");
    }
}
