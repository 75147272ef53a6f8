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
 * A server socket on loopback that accepts connections from processes of the same user only.
 *
 * <p>Linux lists the owner of each end of a connection in /proc/net/tcp and tcp6:
 * https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
 */
public final class SameUserServerSocket extends TServerSocket {
    private static final String ESTABLISHED = "01";
    private final String owner;

    public SameUserServerSocket(InetSocketAddress address) throws TTransportException, IOException {
        super(address);
        this.owner = ownUser();
    }

    /** Returns the next connection of this user; closes any other before it reads a byte. */
    public TSocket accept() throws TTransportException {
        while (true) {
            TSocket accepted = super.accept();
            try {
                if (this.isOwn(accepted.getSocket())) {
                    return accepted;
                }
            } catch (IOException error) {
                // Closed below, because the owner is unknown.
            }
            accepted.close();
        }
    }

    private boolean isOwn(Socket socket) throws IOException {
        String peer = address(socket.getInetAddress(), socket.getPort());
        String here = address(socket.getLocalAddress(), socket.getLocalPort());
        return this.isOwn("/proc/net/tcp", peer, here) || this.isOwn("/proc/net/tcp6", peer, here);
    }

    /** Returns whether a table lists the peer's end of the connection as open and owned by this user. */
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

    /** Returns an IPv4 address in the tables' format, where IPv6 ends with it: 127.0.0.1 is 0100007F on most machines. */
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

    /** Returns the id of this process's effective user. */
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
