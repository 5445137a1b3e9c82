//! A serial adapter goes away and comes back at the same name.

mod support;

use heatmeter_client::{Lost, PortError};
use support::pty::Link;
use support::{in_time, open, read_exactly};

#[tokio::test]
async fn unplugging_ends_a_waiting_read() {
    let link = Link::new();
    let pty = link.plug();
    let mut transport = open(&link.name()).await.unwrap();

    let mut buffer = [0; 8];
    let read = transport.read(&mut buffer);
    let (error, ()) = in_time(async {
        tokio::join!(read, async {
            tokio::task::yield_now().await;
            link.unplug(pty);
        })
    })
    .await;
    let error = transport.lost(&error.unwrap_err());
    assert!(
        matches!(
            &error,
            PortError::Lost {
                reason: Lost::Closed | Lost::Failed(_),
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_same_name_works_again() {
    let link = Link::new();
    for round in 0..3u8 {
        let mut pty = link.plug();
        let mut transport = open(&link.name()).await.unwrap();
        transport.write_all(&[round, 0x0d]).await.unwrap();
        assert_eq!(pty.receive_exactly(2).await, [round, 0x0d]);
        pty.send(&[0x40, round]).await;
        assert_eq!(read_exactly(&mut transport, 2).await, [0x40, round]);

        link.unplug(pty);
        in_time(transport.read(&mut [0; 8])).await.unwrap_err();
        drop(transport);
        let error = open(&link.name()).await.unwrap_err();
        assert!(matches!(error, PortError::Missing { .. }), "{error:?}");
    }
}
